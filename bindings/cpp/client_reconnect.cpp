// Life without the daemon, and the way back to it.
#include <algorithm>
#include <thread>

#include "bindings/cpp/client_core.h"
#include "bindings/cpp/resubmission.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// What moves into the next session has to fit there: lanes and receipts. Deliveries begin anew, and theirs
// are as large as the daemon's largest payload wants, which may be another one since it was configured anew.
bool may_follow(SegmentSizes next, const SegmentSizes& before) {
  next.deliveries_bytes = before.deliveries_bytes;
  return next == before;
}

constexpr Milliseconds kBackoffFirst{10};
constexpr Milliseconds kBackoffMax{1'000};

}  // namespace

Hello ClientCore::hello() const {
  Hello hello;
  // One byte less than the field, so that it always ends in a zero.
  const size_t bytes = std::min(options_.name.size(), hello.client_name.size() - 1);
  std::transform(options_.name.begin(), options_.name.begin() + static_cast<ptrdiff_t>(bytes),
                 hello.client_name.begin(), [](char c) { return c >= ' ' && c <= '~' ? c : '?'; });
  hello.sizes = options_.sizes;
  if (session_ != nullptr) {
    hello.sizes = session_->welcome.sizes;
    hello.resume_session = session_->welcome.session;
    hello.resume_secret = session_->welcome.secret;
    hello.deliveries_seen = session_->deliveries_seen;
  }
  return hello;
}

void ClientCore::lost() {
  if (away_) return;
  disarm_waiter();
  away_ = true;
  lost_since_ = next_attempt_ = Deadline::Clock::now();
  backoff_ = kBackoffFirst;
  away_reason_ = {Error::kUnavailable, "the daemon at " + socket_path_ + " closed the connection", 0};
  session_->socket.reset();
  if (options_.reconnect_timeout_ms != 0) set_retry_timer();
}

Deadline ClientCore::give_up_at() const {
  return Deadline::at(lost_since_ + Milliseconds(options_.reconnect_timeout_ms));
}

bool ClientCore::restore_once() {
  // Nothing is read from the old deliveries after this: the hello names the last one that was.
  pump();
  auto opened =
      ClientSession::open(socket_path_, hello(), Deadline::in(Milliseconds(options_.connect_timeout_ms)));
  if (opened && !may_follow((*opened)->welcome.sizes, session_->welcome.sizes)) {
    opened = fail_with(Error::kSystemError, "the daemon gave other ring sizes than before");
  }
  if (!opened) {
    away_reason_ = std::move(opened.error());
    next_attempt_ = Deadline::Clock::now() + backoff_;
    backoff_ = std::min(backoff_ * 2, kBackoffMax);
    return false;
  }
  take_over(std::move(*opened));
  return true;
}

void ClientCore::take_over(std::unique_ptr<ClientSession> fresh) {
  read_outcomes();
  PQD_CRASH_POINT("handover-welcomed");
  Resubmission again = resubmit(*session_, *fresh);
  PQD_CRASH_POINT("handover-resubmitted");
  for (const auto& lane : again.moved) counters_.resubmitted += lane.size();
  outcomes_.advance(std::move(again.moved), again.given_up, counters_);
  if (fresh->welcome.resumed == 0) inbox_.lose_leases();
  session_ = std::move(fresh);
  away_ = false;
  ++counters_.reconnects;
  for (auto& [number, subscription] : subscriptions_) subscription.sent = subscription.decided = false;
  questions_.ask_again();
  watches_.begin_again();
  engine_epoch_ = session_->down.header().engine_epoch.load(std::memory_order_acquire);
  send_unsent();
  session_->bell.ring_if_sleeping();
  watch_session();
}

void ClientCore::restore_if_due() {
  if (!away_ || options_.reconnect_timeout_ms == 0 || Deadline::Clock::now() < next_attempt_) return;
  restore_once();
}

// An attempt that is due is made in any case, so that a daemon that came back late is found.
ClientCore::Waited ClientCore::restore(Deadline deadline) {
  if (options_.reconnect_timeout_ms == 0) return Waited::kAway;
  for (;;) {
    restore_if_due();
    if (!away_) return Waited::kReady;
    if (give_up_at().passed()) return Waited::kAway;
    if (deadline.passed()) return Waited::kTimeout;
    const Deadline next = earlier(Deadline::at(next_attempt_), earlier(deadline, give_up_at()));
    std::this_thread::sleep_for(next.left());
  }
}

}  // namespace pqd
