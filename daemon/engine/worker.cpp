#include "daemon/engine/worker.h"

#include "shm/crash_point.h"
#include "shm/pause.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace pqd {
namespace {

// So many receipts that a session has read and the tables still keep are worth a commit of their own.
constexpr uint64_t kReceiptsKeptMax = 512;
// What came before a stop is taken; producers that do not pause are cut off here. Nothing is lost with it:
// what is in the rings stays there for their clients to send again.
constexpr int64_t kStopGraceNs = 2 * kSecondNs;
// What the loop sleeps by stands still while the machine sleeps, our time goes on.
constexpr int64_t kTimedSleepMaxNs = 5 * kSecondNs;

}  // namespace

Worker::Worker(const WorkerParts& parts, uint64_t reserved_bytes)
    : parts_(parts),
      drain_(parts.broker, parts.ports),
      disk_(parts.store, reserved_bytes, parts.broker.options().partition == 0),
      sleeper_(parts.wake.page()),
      spin_(parts.spin_ns),
      reader_(parts.store, [&loop = parts.loop] { loop.wake(); }) {}

// At once: two of the grant's descriptors are closed with that.
void Worker::opened(const SessionGrant& grant) {
  arrived_.emplace_back(grant, SessionPort::open(grant, SessionEntry{}));
}

void Worker::hear() {
  for (const SessionNews& news : parts_.inbox->take()) {
    if (const auto* grant = std::get_if<SessionGrant>(&news)) opened(*grant);
    if (const auto* left = std::get_if<SessionLeft>(&news)) closed(left->session);
    if (std::holds_alternative<StopAsked>(news)) stop();
  }
}

void Worker::serve(SessionPort& port) {
  // The handler has nothing to do: every pass looks at every lane.
  port.watch = parts_.loop.watch_doorbell(port.doorbell(), [] {});
  port.announce(parts_.epoch, EngineState::kServing);
}

void Worker::run() {
  for (;;) {
    if (pass() && spin_.on()) spin_.worked(EventLoop::monotonic_ns());
    if (stop_by_ns_ && stopped()) return;
    if (left_over() || look_on() || parts_.commits.hand_rest([this] { publish(); }) || !can_sleep()) {
      parts_.loop.run(0);
      continue;
    }
    parts_.loop.run(sleep_ns());
    sleeper_.disarm();
    PQD_CRASH_POINT("engine-awake");
  }
}

bool Worker::pass() {
  if (parts_.inbox != nullptr) hear();
  bool worked = parts_.commits.look();
  // acquire: pairs with the checkpointer's release; the rows are in the store.
  const uint64_t covered = parts_.covered.load(std::memory_order_acquire);
  if (covered != retired_) parts_.state.retire(retired_ = covered);
  // relaxed: a hint for the checkpointer.
  parts_.checkpoint_wanted.store(parts_.state.wants_checkpoint(), std::memory_order_relaxed);
  publish();
  const bool cut_off = stop_by_ns_ && EventLoop::monotonic_ns() > *stop_by_ns_;
  if (parts_.commits.has_room() && !cut_off) worked |= turn();
  answer_questions();
  parts_.commits.hand(false, [this] { publish(); });
  PQD_CRASH_POINT("turn-handed");
  publish();
  return worked;
}

bool Worker::turn() {
  const bool sessions_change = !arrived_.empty() || !departed_.empty();
  const auto timer = parts_.broker.next_timer_ns();
  const TimeNs now = parts_.clock.now();
  const bool due = timer && *timer <= now;
  if (!sessions_change && !due && !turn_wanted_ && !more_ && !anything_readable()) return false;
  turn_wanted_ = false;
  CommitBuilder& commit = parts_.commits.open();
  parts_.broker.changes().set_watched(count_watches() > 0);
  parts_.broker.begin_turn(now, commit);
  parts_.broker.set_intake(disk_.intake(now));
  open_sessions();
  more_ = drain_.run(commit, parts_.clock.skew_ns(), [this] { return parts_.commits.urgent_news(); });
  if (drain_.took_urgent()) parts_.commits.hurry();
  PQD_CRASH_POINT("turn-drained");
  find_faults();
  note_receipts(!commit.can_wait());
  PQD_CRASH_POINT("turn-before-closing-sessions");
  close_sessions();
  PQD_CRASH_POINT("turn-sessions-closed");
  parts_.broker.end_turn();
  warn_misrouted();
  PQD_CRASH_POINT("turn-ended");
  return true;
}

// A receipt has no room for the reason.
void Worker::warn_misrouted() {
  for (const SessionNo session : parts_.broker.take_misrouted()) {
    SessionPort* port = parts_.ports.find(session);
    if (port == nullptr || std::exchange(port->told_misrouted, true)) continue;
    spdlog::warn("session {} ({}) is refused: {}", session, port->grant().client_name, kElsewhereText);
  }
}

// Whoever is refused may come again at once.
void Worker::warn_unmapped(SessionNo session, const SysError& error) {
  const auto quiet = log_limit_.allow(EventLoop::monotonic_ns());
  if (!quiet) return;
  if (*quiet > 0) spdlog::error("{} more sessions could not be mapped", *quiet);
  spdlog::error("session {} cannot be mapped ({}: {})", session, error.call, std::strerror(error.number));
}

void Worker::open_sessions() {
  for (auto& [grant, port] : std::exchange(arrived_, {})) {
    if (!port) {
      warn_unmapped(grant.session, port.error());
      parts_.link.session_fault(grant.session, SessionFault::kUnusable);
      continue;
    }
    serve(parts_.ports.add(std::move(*port)));
    PQD_CRASH_POINT("session-served");
    parts_.broker.open_session({grant.session, grant.uid, grant.pid, grant.tag, grant.secret_hash},
                               grant.named_groups());
    const bool resumed =
        grant.resume_session != 0 && parts_.broker.resume_session(grant.resume_session, grant.session,
                                                                  grant.resume_hash, grant.deliveries_seen);
    // Its client has left the earlier one, even if the supervisor does not know yet: nothing is read there
    // any more, its client sends again what was not answered.
    if (resumed) PQD_CRASH_POINT("session-resumed");
    if (SessionPort* earlier = resumed ? parts_.ports.find(grant.resume_session) : nullptr)
      earlier->faulty = earlier->taken_over = true;
    opening_.push_back({grant.session, parts_.commits.latest(), resumed});
  }
}

// What a client had published before it went is taken first: it may have asked for nothing but that.
void Worker::close_sessions() {
  for (const SessionNo number : std::exchange(departed_, {})) {
    if (SessionPort* port = parts_.ports.find(number)) port->leave();
  }
  std::vector<SessionNo> gone;
  for (SessionPort* port : parts_.ports.all())
    if (port->leaving && (port->faulty || !port->refresh())) gone.push_back(port->number());
  for (const SessionNo number : gone) {
    parts_.broker.close_session(number);
    remove(number);
  }
}

void Worker::remove(SessionNo number) {
  SessionPort* port = parts_.ports.find(number);
  parts_.loop.unwatch(port->watch);
  PQD_CRASH_POINT("session-before-removal");
  port->outbox().drop(parts_.state);
  lists_.forget(number);
  reader_.forget(number);
  parts_.ports.remove(number);
  PQD_CRASH_POINT("session-removed");
}

void Worker::find_faults() {
  for (SessionPort* port : parts_.ports.all()) {
    const RingViolation violation = port->violation();
    const bool broken = violation != RingViolation::kNone || port->outbox().peer_broken() || port->faulty;
    if (!broken || port->leaving) continue;
    port->faulty = true;
    port->leave();
    if (!port->taken_over)
      spdlog::warn("session {} broke the rules of its rings: {}", port->number(),
                   violation != RingViolation::kNone ? violation_text(violation)
                                                     : "it says that it has read what was not written");
    parts_.link.session_fault(port->number(),
                              port->taken_over ? SessionFault::kTakenOver : SessionFault::kBrokeRules);
  }
}

// The tables keep receipts until the client has read them.
void Worker::note_receipts(bool cheap) {
  for (SessionPort* port : parts_.ports.all()) {
    const uint64_t taken = port->receipts_taken();
    if (taken == port->receipts_noted || (!cheap && taken - port->receipts_noted < kReceiptsKeptMax))
      continue;
    parts_.broker.receipts_taken(port->number(), taken);
    port->receipts_noted = taken;
  }
}

void Worker::publish() {
  for (SessionPort* port : parts_.ports.all()) port->outbox().tell(parts_.commits.progress());
  for (SessionPort* port : parts_.ports.all()) {
    if (!port->outbox().empty() && flush(*port)) port->outbox().ring();
  }
  welcome_opened();
}

bool Worker::flush(SessionPort& port) {
  return port.outbox().flush(parts_.commits.progress(), parts_.state, parts_.clock.skew_ns());
}

void Worker::welcome_opened() {
  while (!opening_.empty() && opening_.front().commit <= parts_.commits.progress().done) {
    PQD_CRASH_POINT("session-durable");
    parts_.link.session_ready(opening_.front().session, opening_.front().resumed);
    PQD_CRASH_POINT("session-told-ready");
    opening_.pop_front();
  }
}

bool Worker::anything_readable() {
  bool any = false;
  for (SessionPort* port : parts_.ports.all()) any |= port->refresh();
  return any;
}

bool Worker::left_over() {
  if (!arrived_.empty() || !departed_.empty() || !lists_.empty() || any_question()) return true;
  return more_ && parts_.commits.has_room();
}

// With the loop's own news: the committer, the reader, the supervisor, clients that have rung before.
bool Worker::anything_new() {
  if (parts_.commits.has_room() && anything_readable()) return true;
  return flush_blocked() || parts_.loop.run(0) > 0 || sleep_ns() == 0;
}

bool Worker::look_on() {
  while (spin_.on() && spin_.goes_on(EventLoop::monotonic_ns())) {
    if (anything_new()) return true;
    pause_briefly();
  }
  return false;
}

bool Worker::can_sleep() {
  PQD_CRASH_POINT("engine-before-arming");
  sleeper_.arm();
  PQD_CRASH_POINT("engine-armed");
  const bool readable = parts_.commits.has_room() && anything_readable();
  const bool news = flush_blocked() || readable;
  if (news) sleeper_.disarm();
  return !news;
}

// Receipts or answers that went out may let its lanes be read again.
bool Worker::flush_blocked() {
  bool any = false;
  for (SessionPort* port : parts_.ports.all()) {
    if (!port->outbox().blocked()) continue;
    const bool moved = flush(*port);
    if (moved) port->outbox().ring();
    any |= moved;
  }
  return any;
}

int64_t Worker::sleep_ns() {
  if (!parts_.commits.has_room()) return -1;  // the committer wakes us
  const auto timer = parts_.broker.next_timer_ns();
  if (!timer) return -1;
  return std::clamp<int64_t>(*timer - parts_.clock.now(), 0, kTimedSleepMaxNs);
}

void Worker::stop() {
  stop_by_ns_ = EventLoop::monotonic_ns() + kStopGraceNs;
  for (SessionPort* port : parts_.ports.all()) port->announce(parts_.epoch, EngineState::kStopping);
}

bool Worker::stopped() {
  const bool cut_off = EventLoop::monotonic_ns() > *stop_by_ns_;
  if (cut_off) parts_.commits.hand(true, [this] { publish(); });
  return parts_.commits.idle() && (cut_off || (!more_ && !any_question() && !anything_readable()));
}

}  // namespace pqd
