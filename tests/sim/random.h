// The one source of chance in a simulated world: everything that happens follows from its seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace pqd::sim {

// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // 0..bound-1; 0 when the bound is 0.
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  // from..to, both included.
  uint64_t between(uint64_t from, uint64_t to) { return from + below(to - from + 1); }
  // True `times` in `of`.
  bool chance(uint64_t times, uint64_t of) { return below(of) < times; }
  template <class List>
  auto& pick(List& list) {
    return list[static_cast<size_t>(below(std::size(list)))];
  }

 private:
  uint64_t state_;
};

}  // namespace pqd::sim
