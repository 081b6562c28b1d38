// Numbers out of many measurements.
#pragma once

#include <cstdint>
#include <vector>

namespace pqd::demo {

// The smallest value that at least `percent` of all do not exceed (nearest rank); 0 without values.
// REQUIRES: 0 < percent <= 100.
int64_t percentile(std::vector<int64_t> values, double percent);

// The longest time without any of `moments` that lies, at least in part, in the `window` after `event`.
int64_t longest_gap(std::vector<int64_t> moments, int64_t event, int64_t window);

}  // namespace pqd::demo
