// Times by size, for quantiles that can be added up: a log-linear histogram that keeps the buckets that are
// in use. Each power of two is cut into 2^kSubBits buckets, so that a bucket's middle is at most 1/16 away
// from any value in it; values below 2^kSubBits have buckets of their own. Sums of histograms are exact,
// whatever their order. Belongs to one thread.
#pragma once

#include <bit>
#include <vector>

#include "core/bytes.h"

namespace pqd {

class Histogram {
 public:
  static constexpr unsigned kSubBits = 3;
  static constexpr unsigned kBuckets = (64 - kSubBits + 1) << kSubBits;

  static constexpr uint16_t bucket_of(uint64_t value) {
    constexpr uint64_t kLinear = uint64_t{1} << kSubBits;
    if (value < kLinear) return static_cast<uint16_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBits;
    return static_cast<uint16_t>((shift << kSubBits) + (value >> shift));
  }
  // What stands for every value of the bucket.
  static constexpr uint64_t middle_of(uint16_t bucket) {
    if (bucket < (2u << kSubBits)) return bucket;
    const unsigned shift = (bucket >> kSubBits) - 1u;
    const uint64_t lowest = (uint64_t{1} << kSubBits) + (bucket & ((1u << kSubBits) - 1u));
    return (lowest << shift) + ((uint64_t{1} << shift) - 1) / 2;
  }

  // `value` in nanoseconds.
  void add(uint64_t value);
  void merge(const Histogram& other);

  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }
  // Microseconds: nanoseconds of 18 months of a busy host do not fit.
  uint64_t sum_us() const { return sum_us_; }
  double average_ns() const;
  // The least value that at least so many percent are not above, within 1/16; 0 when there are none.
  // REQUIRES: 1..100.
  uint64_t percentile(unsigned percent) const;

  void encode(Bytes& out) const;
  // All of `bytes`. False: these are no histogram, and this one is not to be used.
  bool decode(ByteView bytes);

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  struct Bucket {
    uint16_t index = 0;
    uint64_t count = 0;
    friend bool operator==(const Bucket&, const Bucket&) = default;
  };

  std::vector<Bucket> buckets_;  // by index, none is empty
  uint64_t count_ = 0;
  uint64_t sum_us_ = 0;
  uint64_t max_ = 0;
};

}  // namespace pqd
