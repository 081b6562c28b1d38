// Consuming: whose jobs are next, and to whom a settlement goes.
#include <algorithm>

#include "bindings/cpp/client_router.h"

namespace pqd {
namespace {

constexpr uint32_t kSubscriptionsMax = 65'536;

Failure not_ours() { return {Error::kInvalidRequest, "this client was never given this job", 0}; }

}  // namespace

Result<uint32_t> ClientRouter::subscribe(const Subscription& wanted) {
  const auto core = core_of_queue(wanted.queue, answer_timeout());
  if (!core) return std::unexpected(core.error());
  const auto taken = [this](uint32_t number) {
    return std::ranges::any_of(cores_, [number](const auto& c) { return c->has_subscription(number); });
  };
  uint32_t number = 1;
  while (number < kSubscriptionsMax && taken(number)) ++number;
  if (number == kSubscriptionsMax) return fail_with(Error::kInvalidRequest, "too many subscriptions");
  if (auto subscribed = (*core)->subscribe(number, wanted); !subscribed)
    return std::unexpected(std::move(subscribed.error()));
  return number;
}

Result<void> ClientRouter::unsubscribe(uint32_t number) {
  if (auto usable = check_usable(); !usable) return usable;
  for (const auto& core : cores_)
    if (core->has_subscription(number)) return core->unsubscribe(number);
  return fail_with(Error::kNotFound, "there is no subscription " + std::to_string(number));
}

std::optional<Failure> ClientRouter::check_subscriptions() {
  for (const auto& core : cores_)
    if (auto failure = core->check_subscriptions()) return failure;
  return std::nullopt;
}

// They take turns, so that a busy partition does not keep the jobs of another waiting.
ClientCore* ClientRouter::core_with_jobs() {
  for (size_t i = 0; i < cores_.size(); ++i) {
    ClientCore* const core = cores_[(turn_ + i) % cores_.size()].get();
    const ClientInbox& inbox = core->inbox();
    if (by_batch_ ? inbox.has_batch() : !inbox.empty()) return core;
  }
  return nullptr;
}

Result<void> ClientRouter::wait_for_jobs(bool by_batch, Milliseconds timeout) {
  if (auto usable = check_usable(); !usable) return usable;
  by_batch_ = by_batch;
  std::optional<Failure> failure;
  const auto ready = [&] {
    failure = check_subscriptions();
    return failure.has_value() || core_with_jobs() != nullptr;
  };
  const Waited waited = wait_until(ready, Deadline::in(timeout), nullptr);
  if (failure) return std::unexpected(std::move(*failure));
  if (waited == Waited::kAway) return std::unexpected(waited_failure(waited, {}));
  return {};
}

Result<std::optional<DeliveredJob>> ClientRouter::next(Milliseconds timeout) {
  if (auto waited = wait_for_jobs(false, timeout); !waited) return std::unexpected(std::move(waited.error()));
  ClientCore* const core = core_with_jobs();
  if (core == nullptr) return std::nullopt;
  ++turn_;
  ++counters_.deliveries;
  return core->inbox().pop();
}

Result<std::vector<DeliveredJob>> ClientRouter::next_batch(Milliseconds timeout) {
  if (auto waited = wait_for_jobs(true, timeout); !waited) return std::unexpected(std::move(waited.error()));
  ClientCore* const core = core_with_jobs();
  if (core == nullptr) return std::vector<DeliveredJob>();
  ++turn_;
  auto batch = core->inbox().pop_batch();
  counters_.deliveries += batch.size();
  return batch;
}

Result<Ticket> ClientRouter::settle(const DeliveredJob& job, RecordKind kind, const SettleHead& head,
                                    ByteView body) {
  ClientCore* const core = job.partition() < partitions_ ? by_partition_[job.partition()] : nullptr;
  if (core == nullptr) return std::unexpected(not_ours());
  return core->settle(job, kind, head, body);
}

bool ClientRouter::cancel_requested(const DeliveredJob& job) {
  if (!check_usable() || job.stop_flag() == nullptr) return false;
  attend();
  return *job.stop_flag();
}

}  // namespace pqd
