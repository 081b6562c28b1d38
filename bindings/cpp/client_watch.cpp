// Watching in one partition: what changes about jobs, as it is told.
#include "bindings/cpp/client_router.h"

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

Result<void> ClientCore::begin_watch(ClientWatches::Handle handle, const WatchOptions& options, bool follow) {
  if (auto usable = router_.check_usable(); !usable) return usable;
  using Phase = ClientWatches::Phase;
  watches_.add(handle, head_of(options, follow), options.queue, options.type);
  const auto ready = [&] {
    return watches_.phase(handle) == Phase::kEnded || (follow && watches_.phase(handle) == Phase::kBegun);
  };
  const Waited waited = router_.wait_until(ready, Deadline::in(router_.answer_timeout()), this);
  if (waited == Waited::kReady && watches_.failure(handle).error == Error::kOk) return {};
  Failure failure =
      waited == Waited::kReady ? watches_.failure(handle) : router_.waited_failure(waited, "the watch", this);
  drop_watch(handle);
  return std::unexpected(std::move(failure));
}

void ClientCore::drop_watch(ClientWatches::Handle handle) {
  const auto record = watches_.drop(handle);
  // Without room in the lane its events go on to come, and are dropped.
  if (record && !away_) try_send_control(*record, {});
}

Result<void> ClientCore::watch(ClientWatches::Handle handle, const WatchOptions& options) {
  return begin_watch(handle, options, true);
}

Result<std::vector<JobEvent>> ClientCore::recent_events(ClientWatches::Handle handle,
                                                        const WatchOptions& options) {
  if (auto begun = begin_watch(handle, options, false); !begun)
    return std::unexpected(std::move(begun.error()));
  auto events = watches_.take_all(handle);
  drop_watch(handle);
  return events;
}

}  // namespace pqd
