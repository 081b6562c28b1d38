// Consuming in one partition: subscriptions, settlements, and what is given back at the end.
#include <algorithm>

#include "bindings/cpp/client_router.h"

namespace pqd {
namespace {

bool ends_the_lease(RecordKind kind) {
  return kind == RecordKind::kComplete || kind == RecordKind::kFail || kind == RecordKind::kRelease;
}

// The daemon's refusal, with what it means for a subscription.
Failure told(Failure failure) { return failure.error == Error::kInvalidRequest ? refused_names() : failure; }

}  // namespace

Result<void> ClientCore::subscribe(uint32_t number, const Subscription& wanted) {
  if (auto usable = router_.check_usable(); !usable) return usable;
  if (!valid_name(wanted.queue) || !std::all_of(wanted.types.begin(), wanted.types.end(), valid_name)) {
    return fail_with(Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
  }
  if (wanted.types.size() > limits::kSubscriptionTypesMax) {
    return fail_with(Error::kInvalidRequest, "a subscription takes at most 64 types; none means all");
  }
  if (wanted.credits == 0 || wanted.credits > limits::kCreditsMax) {
    return fail_with(Error::kInvalidRequest, "the credits must be 1 to 65536");
  }
  if (subscriptions_.size() >= limits::kSubscriptionsPerSessionMax) {
    return fail_with(Error::kInvalidRequest,
                     "a client has at most 256 subscriptions; end one, or name more types in one");
  }
  subscribed_ = true;
  LiveSubscription& mine = subscriptions_[number];
  mine.record = write_subscribe({number, wanted.credits, wanted.queue, wanted.types});
  std::optional<Result<Outcome>> decided;
  const auto ready = [&] {
    if (mine.sent) decided = outcomes_.decide(mine.ticket, *session_);
    return decided.has_value();
  };
  const Waited waited = router_.wait_until(ready, Deadline::in(router_.answer_timeout()), this);
  if (waited == Waited::kReady && *decided) {
    mine.decided = true;
    return {};
  }
  const bool may_come_yet = waited != Waited::kReady && mine.sent && !away_;
  subscriptions_.erase(number);
  if (may_come_yet) try_send_control(write_unsubscribe(number), {});
  if (waited == Waited::kReady) return std::unexpected(told(std::move(decided->error())));
  return std::unexpected(router_.waited_failure(waited, "the subscription", this));
}

Result<void> ClientCore::unsubscribe(uint32_t number) {
  subscriptions_.erase(number);
  return command(write_unsubscribe(number), {});
}

std::optional<Failure> ClientCore::check_subscriptions() {
  for (auto at = subscriptions_.begin(); at != subscriptions_.end(); ++at) {
    LiveSubscription& subscription = at->second;
    if (subscription.decided || !subscription.sent) continue;
    auto decided = outcomes_.decide(subscription.ticket, *session_);
    if (!decided) continue;
    subscription.decided = true;
    if (*decided) continue;
    Failure failure = told(std::move(decided->error()));
    failure.text = "subscription " + std::to_string(at->first) + " was not renewed: " + failure.text;
    subscriptions_.erase(at);
    return failure;
  }
  return std::nullopt;
}

Result<Ticket> ClientCore::settle(const DeliveredJob& job, RecordKind kind, SettleHead head, ByteView body) {
  head.head.kind = static_cast<uint8_t>(kind);
  head.token = job.token();
  head.id = job.id();
  // Who only says that it works on never looks at the socket otherwise.
  if (!ends_the_lease(kind) && router_.check_usable()) look_at_socket();
  const auto ticket = send_control(write_settle(head, body), job.id());
  if (ticket && ends_the_lease(kind)) inbox_.settled(job.token());
  return ticket;
}

// False when the lane had no room for it in time.
bool ClientCore::send_by(ByteView record, Deadline deadline) {
  const auto sent = [&] { return !away_ && try_send_control(record, {}).has_value(); };
  return router_.wait_until(sent, deadline, this) == Waited::kReady;
}

bool ClientCore::release_inbox(Deadline deadline) {
  while (const auto job = inbox_.pop()) {
    SettleHead head;
    head.head.kind = static_cast<uint8_t>(RecordKind::kRelease);
    head.token = job->token();
    head.id = job->id();
    if (!send_by(write_settle(head, {}), deadline)) return false;
  }
  return true;
}

void ClientCore::give_back(Deadline deadline) {
  pump();
  if (away_ || !subscribed_) return;
  const auto& control = session_->lane(Lane::kControl);
  const auto in_time = [&](const std::function<bool()>& ready) {
    return router_.wait_until(ready, deadline, this) == Waited::kReady;
  };
  const auto settled = [&] { return in_time([&] { return control.all_decided(); }); };
  // Without the subscriptions first, what is given back would come again.
  for (const auto& [number, subscription] : std::exchange(subscriptions_, {}))
    if (!send_by(write_unsubscribe(number), deadline)) return;
  if (!release_inbox(deadline) || !settled()) return;
  // Deliveries that were on their way when the subscriptions ended are published before any later answer.
  QueryHead head;
  head.kind = QueryKind::kHealth;
  const auto question = questions_.add(head, {}, {});
  if (!in_time([&] { return questions_.take(question).has_value(); })) return;
  if (!inbox_.empty() && release_inbox(deadline)) settled();
}

}  // namespace pqd
