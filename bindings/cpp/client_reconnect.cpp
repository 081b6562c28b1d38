// Life without the daemon, and the way back to it.
#include <algorithm>

#include "bindings/cpp/client_router.h"
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
  const std::string& name = router_.options().name;
  const size_t bytes = std::min(name.size(), hello.client_name.size() - 1);
  std::transform(name.begin(), name.begin() + static_cast<ptrdiff_t>(bytes), hello.client_name.begin(),
                 [](char c) { return c >= ' ' && c <= '~' ? c : '?'; });
  hello.sizes = router_.options().sizes;
  hello.partition = partition_;
  if (session_ != nullptr) {
    hello.sizes = session_->welcome.sizes;
    hello.resume_session = session_->welcome.session;
    hello.resume_secret = session_->welcome.secret;
    hello.deliveries_seen = session_->deliveries_seen;
  }
  return hello;
}

Result<std::unique_ptr<ClientSession>> ClientCore::open_session() {
  return ClientSession::open(router_.socket_path(), hello(),
                             Deadline::in(Milliseconds(router_.options().connect_timeout_ms)));
}

void ClientCore::lost() {
  if (away_) return;
  disarm_waiter();
  away_ = true;
  lost_since_ = next_attempt_ = Deadline::Clock::now();
  backoff_ = kBackoffFirst;
  away_reason_ = {Error::kUnavailable, "the daemon at " + router_.socket_path() + " closed the connection",
                  0};
  unwatch_session();
  session_->hang_up();
  router_.set_timer();
}

Deadline ClientCore::give_up_at() const {
  return Deadline::at(lost_since_ + Milliseconds(router_.options().reconnect_timeout_ms));
}

bool ClientCore::restore_once() {
  // Nothing is read from the old deliveries after this: the hello names the last one that was.
  pump();
  auto opened = open_session();
  if (opened && !may_follow((*opened)->welcome.sizes, session_->welcome.sizes)) {
    opened = fail_with(Error::kSystemError, "the daemon gave other ring sizes than before");
  }
  if (opened && (*opened)->welcome.partitions != router_.partitions()) {
    opened = fail_with(Error::kSystemError,
                       "the daemon has another number of partitions than before: connect anew");
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
  for (const auto& lane : again.moved) router_.counters().resubmitted += lane.size();
  const bool resumed = fresh->welcome.resumed != 0;
  // The numbers that a store gives only grow.
  const bool same_store = resumed || fresh->welcome.session > session_->welcome.session;
  outcomes_.advance(std::move(again.moved), again.given_up, same_store, router_.counters());
  if (!resumed) inbox_.lose_leases();
  used_earlier_ = !unused();
  session_ = std::move(fresh);
  away_ = false;
  ++router_.counters().reconnects;
  for (auto& [number, subscription] : subscriptions_) subscription.sent = subscription.decided = false;
  questions_.ask_again();
  watches_.begin_again();
  engine_epoch_ = session_->down.header().engine_epoch.load(std::memory_order_acquire);
  send_unsent();
  session_->bell.ring_if_sleeping();
  watch_session();
  router_.set_timer();
}

void ClientCore::restore_if_due() {
  if (!away_ || router_.options().reconnect_timeout_ms == 0 || Deadline::Clock::now() < next_attempt_) return;
  restore_once();
}

void ClientCore::watch_session() {
  if (away_) return;
  router_.add_to_events(session_->engine_doorbell.get());
  router_.add_to_events(session_->socket.get());
}

void ClientCore::unwatch_session() {
  router_.remove_from_events(session_->engine_doorbell.get());
  router_.remove_from_events(session_->socket.get());
}

}  // namespace pqd
