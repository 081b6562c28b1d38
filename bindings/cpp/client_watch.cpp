// Watching: what changes about jobs, as it is told.
#include "bindings/cpp/client_core.h"

namespace pqd {
namespace {

WatchHead head_of(const WatchOptions& options, bool follow) {
  WatchHead head;
  head.job = options.job;
  head.owner_uid = options.owner_uid.value_or(head.owner_uid);
  head.last = options.last;
  head.states = options.states;
  head.follow = follow ? 1 : 0;
  return head;
}

}  // namespace

Result<ClientWatches::Handle> ClientCore::begin_watch(const WatchOptions& options, bool follow) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  if ((!options.queue.empty() && !valid_name(options.queue)) ||
      (!options.type.empty() && !valid_name(options.type))) {
    return fail_with(Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
  }
  using Phase = ClientWatches::Phase;
  const auto handle = watches_.add(head_of(options, follow), options.queue, options.type);
  const auto ready = [&] {
    return watches_.phase(handle) == Phase::kEnded || (follow && watches_.phase(handle) == Phase::kBegun);
  };
  const Waited waited = wait_until(ready, Deadline::in(answer_timeout()));
  if (waited == Waited::kReady && watches_.failure(handle).error == Error::kOk) return handle;
  Failure failure = waited == Waited::kReady ? watches_.failure(handle) : waited_failure(waited, "the watch");
  drop_watch(handle);
  return std::unexpected(std::move(failure));
}

void ClientCore::drop_watch(ClientWatches::Handle handle) {
  const auto record = watches_.drop(handle);
  // Without room in the lane its events go on to come, and are dropped.
  if (record && !away_) try_send_control(*record, {});
}

Result<uint32_t> ClientCore::watch(const WatchOptions& options) { return begin_watch(options, true); }

Result<std::vector<JobEvent>> ClientCore::recent_events(const WatchOptions& options) {
  const auto handle = begin_watch(options, false);
  if (!handle) return std::unexpected(handle.error());
  auto events = watches_.take_all(*handle);
  drop_watch(*handle);
  return events;
}

Result<void> ClientCore::unwatch(uint32_t number) {
  if (auto usable = check_usable(); !usable) return usable;
  if (!watches_.has(number)) {
    return fail_with(Error::kNotFound, "there is no watch " + std::to_string(number));
  }
  drop_watch(number);
  return {};
}

Result<std::optional<JobEvent>> ClientCore::next_event(Milliseconds timeout) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  std::optional<Failure> failure;
  const auto ready = [&] {
    if (!watches_.empty()) return true;
    failure = watches_.take_failure();
    return failure.has_value();
  };
  const Waited waited = wait_until(ready, Deadline::in(timeout));
  if (failure) return std::unexpected(std::move(*failure));
  if (waited == Waited::kAway) return std::unexpected(away_failure());
  return watches_.pop();
}

}  // namespace pqd
