// What the producers and consumers have told so far.
#pragma once

#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "tools/demo/event.h"

namespace pqd::demo {

struct Tally {
  explicit Tally(size_t files) : jobs(files) {}
  void take(const Event& event);

  size_t first_half() const { return jobs.size() / 2; }
  // Durable submits in a second while nothing was killed yet; 0 = not measured.
  double submits_per_s() const;

  std::vector<JobId> jobs;  // by file; empty = not durable yet
  std::vector<int64_t> durable_took_ns;
  size_t durable = 0;
  size_t durable_twice = 0;       // acknowledgements beyond the first of a file
  size_t durable_first_half = 0;  // of the files in the first half
  int64_t first_submit_ns = std::numeric_limits<int64_t>::max();
  int64_t first_half_durable_ns = 0;  // when the last of them was
  std::unordered_map<JobId, uint32_t, JobIdHash>
      settled;  // how often a consumer was told that its result is safe
};

}  // namespace pqd::demo
