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

// False when the lane had no room for all of it.
bool ClientCore::release_inbox() {
  bool sent = true;
  while (const auto job = inbox_.pop()) {
    SettleHead head;
    head.head.kind = static_cast<uint8_t>(RecordKind::kRelease);
    head.token = job->token();
    head.id = job->id();
    sent &= try_send_control(write_settle(head, {}), job->id()).has_value();
  }
  return sent;
}

void ClientCore::give_back(Deadline deadline) {
  pump();
  if (away_ || !subscribed_) return;
  const auto& control = session_->lane(Lane::kControl);
  const auto settled = [&] {
    return router_.wait_until([&] { return control.all_decided(); }, deadline, this) == Waited::kReady;
  };
  // Without the subscriptions first, what is given back would come again.
  bool sent = true;
  for (const auto& [number, subscription] : std::exchange(subscriptions_, {})) {
    sent &= try_send_control(write_unsubscribe(number), {}).has_value();
  }
  if (!sent || !settled()) return;
  // Deliveries that were on their way when the subscriptions ended are published before any later answer.
  QueryHead question;
  question.kind = QueryKind::kHealth;
  ClientCore* const self = this;
  if (!router_.ask(std::span(&self, 1), question, {}, {}) || inbox_.empty()) return;
  if (release_inbox()) settled();
}

}  // namespace pqd
