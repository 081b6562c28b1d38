// Watching: one watch may be over several partitions, and is told about in the order of time as far as that
// is known.
#include <algorithm>

#include "bindings/cpp/client_router.h"
#include "bindings/cpp/merge.h"

namespace pqd {
namespace {

Result<void> check_names(const WatchOptions& options) {
  if ((options.queue.empty() || valid_name(options.queue)) &&
      (options.type.empty() || valid_name(options.type)))
    return {};
  return fail_with(Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
}

}  // namespace

Result<uint32_t> ClientRouter::watch(const WatchOptions& options) {
  if (auto good = check_names(options); !good) return std::unexpected(std::move(good.error()));
  const auto cores = cores_for(options.queue, options.job);
  if (!cores) return std::unexpected(cores.error());
  const uint32_t number = next_watch_++;
  if (cores->size() > 1) shared_watches_[number];
  for (ClientCore* const core : *cores) {
    if (auto begun = core->watch(number, options); !begun) {
      drop_watch(number);
      return std::unexpected(std::move(begun.error()));
    }
  }
  return number;
}

void ClientRouter::drop_watch(uint32_t number) {
  for (const auto& core : cores_)
    if (core->watches().has(number)) core->drop_watch(number);
  shared_watches_.erase(number);
}

Result<void> ClientRouter::unwatch(uint32_t number) {
  if (auto usable = check_usable(); !usable) return usable;
  const bool there =
      std::ranges::any_of(cores_, [number](const auto& core) { return core->watches().has(number); });
  if (!there) return fail_with(Error::kNotFound, "there is no watch " + std::to_string(number));
  drop_watch(number);
  return {};
}

// The one whose next event happened first.
ClientCore* ClientRouter::core_with_events() const {
  ClientCore* first = nullptr;
  for (const auto& core : cores_) {
    if (core->watches().empty()) continue;
    if (first == nullptr || core->watches().first_ns() < first->watches().first_ns()) first = core.get();
  }
  return first;
}

std::optional<Failure> ClientRouter::failed_watch() {
  for (const auto& core : cores_) {
    const auto number = core->watches().failed();
    if (!number) continue;
    Failure failure = core->watches().failure(*number);
    drop_watch(*number);
    return failure;
  }
  return std::nullopt;
}

// A partition that begins to count anew has lost its place, not the changes of before.
void ClientRouter::count_together(JobEvent& event, PartitionNo partition) {
  const auto shared = shared_watches_.find(event.watch);
  if (shared == shared_watches_.end()) return;
  uint64_t& seen = shared->second.seen[partition];
  shared->second.number += event.number > seen ? event.number - seen : event.number;
  seen = event.number;
  event.number = shared->second.number;
}

Result<std::optional<JobEvent>> ClientRouter::next_event(Milliseconds timeout) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  std::optional<Failure> failure;
  const auto ready = [&] {
    if (core_with_events() != nullptr) return true;
    failure = failed_watch();
    return failure.has_value();
  };
  const Waited waited = wait_until(ready, Deadline::in(timeout), nullptr);
  if (failure) return std::unexpected(std::move(*failure));
  if (waited == Waited::kAway) return std::unexpected(waited_failure(waited, {}));
  ClientCore* const core = core_with_events();
  if (core == nullptr) return std::nullopt;
  auto event = core->watches().pop();
  count_together(*event, core->partition());
  return event;
}

Result<std::vector<JobEvent>> ClientRouter::recent_events(const WatchOptions& options) {
  if (auto good = check_names(options); !good) return std::unexpected(std::move(good.error()));
  const auto cores = cores_for(options.queue, options.job);
  if (!cores) return std::unexpected(cores.error());
  const uint32_t number = next_watch_++;
  std::vector<std::vector<JobEvent>> lists;
  for (ClientCore* const core : *cores) {
    auto events = core->recent_events(number, options);
    if (!events) return events;
    lists.push_back(std::move(*events));
  }
  return merge_events(std::move(lists), options.last);
}

}  // namespace pqd
