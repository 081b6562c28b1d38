// Consuming: subscriptions, jobs in hand, settlements.
#include <algorithm>

#include "bindings/cpp/client_core.h"

namespace pqd {
namespace {

constexpr uint32_t kSubscriptionsMax = 65'536;
constexpr Milliseconds kGiveBackTime{1'000};

bool ends_the_lease(RecordKind kind) {
  return kind == RecordKind::kComplete || kind == RecordKind::kFail || kind == RecordKind::kRelease;
}

}  // namespace

Result<uint32_t> ClientCore::subscribe(const Subscription& wanted) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  if (!valid_name(wanted.queue) || !std::all_of(wanted.types.begin(), wanted.types.end(), valid_name)) {
    return fail_with(Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
  }
  if (wanted.types.size() > limits::kSubscriptionTypesMax) {
    return fail_with(Error::kInvalidRequest, "a subscription takes at most 64 types; none means all");
  }
  if (wanted.credits == 0 || wanted.credits > limits::kCreditsMax) {
    return fail_with(Error::kInvalidRequest, "the credits must be 1 to 65536");
  }
  uint32_t number = 1;
  while (number < kSubscriptionsMax && subscriptions_.contains(number)) ++number;
  if (number == kSubscriptionsMax) return fail_with(Error::kInvalidRequest, "too many subscriptions");
  LiveSubscription& mine = subscriptions_[number];
  mine.record = write_subscribe({number, wanted.credits, wanted.queue, wanted.types});
  std::optional<Result<Outcome>> decided;
  const auto ready = [&] {
    if (mine.sent) decided = outcomes_.decide(mine.ticket, *session_);
    return decided.has_value();
  };
  const Waited waited = wait_until(ready, Deadline::in(answer_timeout()));
  if (waited == Waited::kReady && *decided) {
    mine.decided = true;
    return number;
  }
  const bool may_come_yet = waited != Waited::kReady && mine.sent && !away_;
  subscriptions_.erase(number);
  if (may_come_yet) try_send_control(write_unsubscribe(number), {});
  if (waited == Waited::kReady) return std::unexpected(std::move(decided->error()));
  return std::unexpected(waited_failure(waited, "the subscription"));
}

Result<void> ClientCore::unsubscribe(uint32_t number) {
  if (auto usable = check_usable(); !usable) return usable;
  if (subscriptions_.erase(number) == 0) {
    return fail_with(Error::kNotFound, "there is no subscription " + std::to_string(number));
  }
  return command(write_unsubscribe(number), {});
}

// Those sent again after a reconnect may be refused by then; whoever waits for their jobs has to know.
std::optional<Failure> ClientCore::check_subscriptions() {
  for (auto at = subscriptions_.begin(); at != subscriptions_.end(); ++at) {
    LiveSubscription& subscription = at->second;
    if (subscription.decided || !subscription.sent) continue;
    auto decided = outcomes_.decide(subscription.ticket, *session_);
    if (!decided) continue;
    subscription.decided = true;
    if (*decided) continue;
    Failure failure = std::move(decided->error());
    failure.text = "subscription " + std::to_string(at->first) + " was not renewed: " + failure.text;
    subscriptions_.erase(at);
    return failure;
  }
  return std::nullopt;
}

Result<void> ClientCore::wait_for_jobs(bool by_batch, Milliseconds timeout) {
  if (auto usable = check_usable(); !usable) return usable;
  by_batch_ = by_batch;
  std::optional<Failure> failure;
  const auto ready = [&] {
    failure = check_subscriptions();
    return failure.has_value() || any_jobs();
  };
  const Waited waited = wait_until(ready, Deadline::in(timeout));
  if (failure) return std::unexpected(std::move(*failure));
  if (waited == Waited::kAway) return std::unexpected(away_failure());
  return {};
}

Result<std::optional<DeliveredJob>> ClientCore::next(Milliseconds timeout) {
  if (auto waited = wait_for_jobs(false, timeout); !waited) return std::unexpected(std::move(waited.error()));
  auto job = inbox_.pop();
  if (job) ++counters_.deliveries;
  return job;
}

Result<std::vector<DeliveredJob>> ClientCore::next_batch(Milliseconds timeout) {
  if (auto waited = wait_for_jobs(true, timeout); !waited) return std::unexpected(std::move(waited.error()));
  auto batch = inbox_.pop_batch();
  counters_.deliveries += batch.size();
  return batch;
}

Result<Ticket> ClientCore::settle(const DeliveredJob& job, RecordKind kind, SettleHead head, ByteView body) {
  head.head.kind = static_cast<uint8_t>(kind);
  head.token = job.token();
  head.id = job.id();
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

void ClientCore::give_back() {
  pump();
  if (away_ || subscriptions_.empty()) return;
  options_.reconnect_timeout_ms = 0;
  const Deadline deadline = Deadline::in(kGiveBackTime);
  const auto& control = session_->lane(Lane::kControl);
  const auto settled = [&] {
    return wait_until([&] { return control.all_decided(); }, deadline) == Waited::kReady;
  };
  // Without the subscriptions first, what is given back would come again.
  bool sent = true;
  for (const auto& [number, subscription] : std::exchange(subscriptions_, {})) {
    sent &= try_send_control(write_unsubscribe(number), {}).has_value();
  }
  if (!sent || !settled()) return;
  // Deliveries that were on their way when the subscriptions ended are published before any later answer.
  options_.answer_timeout_ms = static_cast<uint32_t>(deadline.left().count());
  QueryHead question;
  question.kind = QueryKind::kHealth;
  if (!ask(question, {}, {}) || inbox_.empty()) return;
  if (release_inbox()) settled();
}

bool ClientCore::cancel_requested(const DeliveredJob& job) {
  if (!check_usable() || job.stop_flag() == nullptr) return false;
  pump();
  return *job.stop_flag();
}

}  // namespace pqd
