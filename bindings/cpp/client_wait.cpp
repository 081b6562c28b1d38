// Taking in what has come, and waiting for more of it.
#include <poll.h>

#include <thread>

#include "bindings/cpp/client_core.h"
#include "core/info.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// Spinning pays only where the daemon can run at the same time and somebody else is left for the rest.
constexpr unsigned kSpinCpusMin = 3;
constexpr unsigned kSpinRoundsFirst = 256;
constexpr unsigned kSpinRoundsMax = 8'192;
constexpr Milliseconds kProbePause{100};
constexpr Milliseconds kSocketLookPause{1};

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

bool spinning_pays() {
  static const bool pays = std::thread::hardware_concurrency() >= kSpinCpusMin;
  return pays;
}

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
    outcomes_.take(*receipt, counters_);
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

void ClientCore::tend_orphans() {
  if (probe_) {
    const auto answer = questions_.take(probe_->question);
    if (!answer) return;
    const auto info =
        answer->parts.empty() ? std::unexpected(answer->error) : decode_job_info(answer->parts[0]);
    if (answer->error == Error::kNotFound) {
      outcomes_.settle_orphan(probe_->key, Error::kQueueFull, counters_);
    } else if (info && (info->core.state != JobState::kPending || info->core.pending != Pending::kParked)) {
      outcomes_.settle_orphan(probe_->key, Error::kOk, counters_);
    } else {
      next_probe_ = Deadline::Clock::now() + kProbePause;
    }
    probe_.reset();
  }
  if (!outcomes_.any_orphans() || Deadline::Clock::now() < next_probe_) return;
  const auto [key, id] = outcomes_.first_orphan();
  QueryHead head;
  head.kind = QueryKind::kJob;
  head.id = id;
  probe_ = Probe{key, questions_.add(head, {}, {})};
}

ClientCore::Waited ClientCore::wait_until(const std::function<bool()>& ready, Deadline deadline) {
  for (;;) {
    pump();
    if (ready()) return Waited::kReady;
    if (deadline.passed()) look_at_socket();
    if (away_) {
      const Waited restored = restore(deadline);
      if (restored == Waited::kReady) continue;
      // What the daemon had said before it went still counts.
      pump();
      return ready() ? Waited::kReady : restored;
    }
    if (deadline.passed()) return Waited::kTimeout;
    if (spin()) continue;
    arm_waiter();
    const bool news = pump();
    const bool done = ready();
    if (!done && !news) sleep(deadline);
    disarm_waiter();
    if (done) return Waited::kReady;
  }
}

// True when something was published while we looked.
bool ClientCore::spin() {
  if (!spinning_pays()) return false;
  const auto& bell = session_->down.header().bell;
  // acquire: pairs with the release store of ring_if_waiting().
  const uint32_t before = bell.load(std::memory_order_acquire);
  if (spin_rounds_ == 0) spin_rounds_ = kSpinRoundsFirst;
  for (unsigned round = 0; round < spin_rounds_; ++round) {
    if (bell.load(std::memory_order_acquire) != before) {
      spin_rounds_ = std::min(spin_rounds_ * 2, kSpinRoundsMax);
      return true;
    }
    pause_briefly();
  }
  spin_rounds_ = std::max(spin_rounds_ / 2, 1u);
  return false;
}

void ClientCore::sleep(Deadline deadline) {
  if (outcomes_.any_orphans() && !probe_) deadline = earlier(deadline, Deadline::at(next_probe_));
  std::array<pollfd, 2> wanted{pollfd{session_->engine_doorbell.get(), POLLIN, 0},
                               pollfd{session_->socket.get(), POLLIN | POLLRDHUP, 0}};
  if (::poll(wanted.data(), wanted.size(), static_cast<int>(deadline.left().count())) <= 0) return;
  disarm_waiter();
  if (wanted[0].revents != 0) session_->waiter.drain();
  if (wanted[1].revents != 0) hear();
}

void ClientCore::arm_waiter() {
  disarm_waiter();
  PQD_CRASH_POINT("client-before-arming");
  session_->waiter.arm();
  PQD_CRASH_POINT("client-armed");
  armed_ = true;
}

void ClientCore::disarm_waiter() {
  if (armed_) session_->waiter.disarm();
  armed_ = false;
}

void ClientCore::look_at_socket() {
  if (away_) return;
  const auto now = Deadline::Clock::now();
  if (now - socket_seen_ < kSocketLookPause) return;
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
