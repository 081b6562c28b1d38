// Taking in what has come, and what to sleep on until more does.
#include <poll.h>

#include "bindings/cpp/client_router.h"
#include "core/info.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

constexpr Milliseconds kProbePause{100};
constexpr unsigned kProbesBetweenPauses = 16;
constexpr Milliseconds kSocketLookPause{1};

}  // namespace

bool ClientCore::pump() {
  bool news = read_outcomes();
  news |= read_deliveries();
  news |= read_answers();
  if (news) session_->bell.ring_if_blocked();
  if (away_) return news;
  // acquire: what the new engine published before it named itself is seen.
  const uint64_t epoch = session_->down.header().engine_epoch.load(std::memory_order_acquire);
  if (epoch != engine_epoch_) {
    engine_epoch_ = epoch;
    questions_.ask_again();
    watches_.begin_again();
  }
  tend_orphans();
  send_unsent();
  return news;
}

// Watermarks first: every receipt of a record that they pass is there when they are.
bool ClientCore::read_outcomes() {
  bool news = session_->load_marks();
  while (const auto receipt = session_->receipts.next()) {
    outcomes_.take(*receipt, router_.counters());
    news = true;
  }
  PQD_CRASH_POINT("receipts-read");
  session_->receipts.release();
  PQD_CRASH_POINT("receipts-given-back");
  return news;
}

bool ClientCore::read_deliveries() {
  bool news = false;
  for (auto record = session_->deliveries.next(); !record.empty(); record = session_->deliveries.next()) {
    session_->deliveries_seen = inbox_.take(record, session_->deliveries_seen);
    PQD_CRASH_POINT("delivery-read");
    session_->deliveries.release();
    PQD_CRASH_POINT("delivery-given-back");
    news = true;
  }
  return news;
}

bool ClientCore::read_answers() {
  bool news = false;
  for (auto record = session_->answers.next(); !record.empty(); record = session_->answers.next()) {
    if (!watches_.receive(record)) questions_.receive(record);
    session_->answers.release();
    news = true;
  }
  return news;
}

void ClientCore::send_unsent() {
  for (auto& [number, subscription] : subscriptions_) {
    if (subscription.sent) continue;
    const auto ticket = try_send_control(subscription.record, {});
    if (!ticket) return;
    subscription.ticket = *ticket;
    subscription.sent = true;
  }
  const auto send = [this](ByteView record) { return try_send_control(record, {}).has_value(); };
  questions_.send_all(send);
  watches_.send_all(send);
}

// Each in its turn: the queue of one may be full for long, when those of others have room.
void ClientCore::tend_orphans() {
  if (probe_) {
    const auto answer = questions_.take(probe_->question);
    if (!answer) return;
    const auto info =
        answer->parts.empty() ? std::unexpected(answer->error) : decode_job_info(answer->parts[0]);
    if (answer->error == Error::kNotFound) {
      outcomes_.orphan_not_found(probe_->key, router_.counters());
    } else if (info && (info->core.state != JobState::kPending || info->core.pending != Pending::kParked)) {
      outcomes_.orphan_found(probe_->key);
    } else if (++probed_in_vain_ == kProbesBetweenPauses || to_probe_.empty()) {
      probed_in_vain_ = 0;
      next_probe_ = Deadline::Clock::now() + kProbePause;
    }
    probe_.reset();
  }
  if (!outcomes_.any_orphans() || Deadline::Clock::now() < next_probe_) return;
  if (to_probe_.empty()) to_probe_ = outcomes_.orphans();
  const auto [key, id] = to_probe_.back();
  to_probe_.pop_back();
  QueryHead head;
  head.kind = QueryKind::kJob;
  head.id = id;
  probe_ = Probe{key, questions_.add(head, {}, {})};
}

Deadline ClientCore::wake_at(bool waited_for) const {
  const auto never = Deadline::in(kForever);
  if (away_) {
    const bool tries = router_.options().reconnect_timeout_ms != 0;
    return earlier(tries ? Deadline::at(next_attempt_) : never, waited_for ? give_up_at() : never);
  }
  return outcomes_.any_orphans() && !probe_ ? Deadline::at(next_probe_) : never;
}

void ClientCore::add_to(std::span<pollfd, 2> wanted) const {
  wanted[0] = {session_->engine_doorbell.get(), POLLIN, 0};
  wanted[1] = {session_->socket.get(), POLLIN | POLLRDHUP, 0};
}

void ClientCore::woken(std::span<const pollfd, 2> wanted) {
  disarm_waiter();
  if (wanted[0].revents != 0) drain_waiter();
  if (wanted[1].revents != 0 && !away_) hear();
}

// The daemon's end is closed with the session. The socket says so as well, a little later.
void ClientCore::drain_waiter() {
  session_->waiter.drain();
  if (session_->waiter.ended()) lost();
}

void ClientCore::arm_waiter() {
  disarm_waiter();
  if (away_) return;
  PQD_CRASH_POINT("client-before-arming");
  session_->waiter.arm();
  PQD_CRASH_POINT("client-armed");
  armed_ = true;
}

void ClientCore::disarm_waiter() {
  if (armed_) session_->waiter.disarm();
  armed_ = false;
}

void ClientCore::look_at_socket(bool must) {
  if (away_) return;
  const auto now = Deadline::Clock::now();
  if (!must && now - socket_seen_ < kSocketLookPause) return;
  socket_seen_ = now;
  pollfd wanted{session_->socket.get(), POLLIN | POLLRDHUP, 0};
  if (::poll(&wanted, 1, 0) > 0) hear();
}

void ClientCore::hear() {
  for (;;) {
    const auto fds = receive_renewal(session_->socket.get(), session_->welcome.session);
    if (!fds && fds.error().fault == WireFault::kTimeout) return;
    PQD_CRASH_POINT("kept-renewal-heard");
    if (!fds || (session_->welcome.features & kFeatureRenewal) == 0 || !session_->renew(*fds)) return lost();
    // Whatever was published under the earlier supervisor's eyes nobody was woken for.
    session_->bell.ring_if_sleeping();
    PQD_CRASH_POINT("kept-renewal-taken");
  }
}

}  // namespace pqd
