// Where the partitions of an engine wait for each other while they start: none goes on before all have come,
// and none at all when one cannot. A thread each.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "core/job.h"

namespace pqd {

class StartLine {
 public:
  explicit StartLine(uint32_t partitions) : partitions_(partitions) {}

  // Waits until each has called it as often. `clock_ns`: the latest time that the caller's part of the store
  // knows; nothing = it cannot start. Returns the latest of all, nothing when one cannot.
  std::optional<TimeNs> meet(std::optional<TimeNs> clock_ns) {
    std::unique_lock lock(mutex_);
    failed_ |= !clock_ns.has_value();
    latest_ns_ = std::max(latest_ns_, clock_ns.value_or(0));
    const uint64_t round = round_;
    if (++arrived_ == partitions_) {
      arrived_ = 0;
      ++round_;
      all_there_.notify_all();
    }
    all_there_.wait(lock, [&] { return round_ != round; });
    return failed_ ? std::nullopt : std::optional(latest_ns_);
  }

 private:
  const uint32_t partitions_;
  std::mutex mutex_;  // guards the following
  std::condition_variable all_there_;
  uint32_t arrived_ = 0;
  uint64_t round_ = 0;
  bool failed_ = false;
  TimeNs latest_ns_ = 0;
};

}  // namespace pqd
