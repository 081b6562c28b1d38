#include "tools/demo/figures.h"

#include <algorithm>
#include <cmath>

namespace pqd::demo {

int64_t percentile(std::vector<int64_t> values, double percent) {
  if (values.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(static_cast<double>(values.size()) * percent / 100));
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(std::clamp<size_t>(rank, 1, values.size()) - 1);
  std::ranges::nth_element(values, at);
  return *at;
}

int64_t longest_gap(std::vector<int64_t> moments, int64_t event, int64_t window) {
  std::ranges::sort(moments);
  int64_t longest = 0;
  for (size_t i = 1; i < moments.size(); ++i) {
    const bool overlaps = moments[i] > event && moments[i - 1] < event + window;
    if (overlaps) longest = std::max(longest, moments[i] - moments[i - 1]);
  }
  return longest;
}

}  // namespace pqd::demo
