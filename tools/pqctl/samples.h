// How long something took, many times over, for percentiles: all of it while there are few, and each second,
// fourth ... of them once there are more than fit. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pqd::ctl {

class Samples {
 public:
  explicit Samples(size_t kept_max = size_t{1} << 20) : kept_max_(kept_max) {}

  void add(int64_t ns) {
    max_ = std::max(max_, ns);
    if (count_++ % stride_ != 0) return;
    kept_.push_back(ns);
    if (kept_.size() < kept_max_) return;
    for (size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i] = kept_[2 * i];
    kept_.resize((kept_.size() + 1) / 2);
    stride_ *= 2;
  }

  uint64_t count() const { return count_; }
  int64_t max_ns() const { return max_; }
  // The least of those kept that so large a part is not above; 0 when there are none. REQUIRES: 0 < part
  // <= 1.
  int64_t quantile_ns(double part) const {
    if (kept_.empty()) return 0;
    std::vector<int64_t> sorted = kept_;
    const auto rank = static_cast<size_t>(part * static_cast<double>(sorted.size()));
    const auto at = sorted.begin() + static_cast<ptrdiff_t>(std::min(rank, sorted.size() - 1));
    std::nth_element(sorted.begin(), at, sorted.end());
    return *at;
  }

 private:
  size_t kept_max_;
  std::vector<int64_t> kept_;
  uint64_t count_ = 0;
  uint64_t stride_ = 1;
  int64_t max_ = 0;
};

}  // namespace pqd::ctl
