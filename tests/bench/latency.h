// How long something took, many times over: a log-linear histogram that lies in shared memory, so that a
// forked side fills it and another process reads it afterwards. Each power of two is cut into 64 buckets: a
// percentile is at most 1/64 above the true one, and never below it. Counts only; one writer, which has ended
// or said so before anybody reads.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace pqd::bench {

class Latency {
 public:
  static constexpr unsigned kSubBits = 6;
  static constexpr size_t kBuckets = (64 - kSubBits + 1) << kSubBits;

  // `value` in the unit of whoever counts: nanoseconds, unless its row says otherwise.
  void add(uint64_t value) {
    ++counts_[bucket_of(value)];
    ++count_;
    max_ = std::max(max_, value);
  }
  void merge(const Latency& other);
  void clear() { *this = Latency(); }

  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }
  // The least value that so large a part of all is not above; 0 when there are none. REQUIRES: 0 < part <= 1.
  uint64_t quantile(double part) const;

 private:
  static constexpr size_t bucket_of(uint64_t value) {
    constexpr uint64_t kLinear = uint64_t{1} << kSubBits;
    if (value < kLinear) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBits;
    return (size_t{shift} << kSubBits) + (value >> shift);
  }
  static constexpr uint64_t highest_of(size_t bucket) {
    if (bucket < (size_t{2} << kSubBits)) return bucket;
    const size_t shift = (bucket >> kSubBits) - 1;
    const uint64_t lowest = (uint64_t{1} << kSubBits) + (bucket & ((size_t{1} << kSubBits) - 1));
    return (lowest << shift) + ((uint64_t{1} << shift) - 1);
  }

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

}  // namespace pqd::bench
