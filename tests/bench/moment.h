// The clocks of the rows. Any thread, any process of this machine: both count the same everywhere.
#pragma once

#include <cstdint>
#include <ctime>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace pqd::bench {

// CLOCK_MONOTONIC; 20 to 30 ns a call.
inline int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// For what takes less than that call: the processor's counter, which is constant and synchronous wherever
// Linux takes its time from it.
inline uint64_t now_ticks() {
#if defined(__x86_64__)
  unsigned processor = 0;
  return __rdtscp(&processor);
#else
  return static_cast<uint64_t>(now_ns());
#endif
}

// How long a tick is; measured once in 20 ms, in each process that asks.
inline double ns_per_tick() {
  static const double ns = [] {
    const int64_t from_ns = now_ns();
    const uint64_t from = now_ticks();
    while (now_ns() - from_ns < 20'000'000) {
    }
    const uint64_t to = now_ticks();
    return static_cast<double>(now_ns() - from_ns) / static_cast<double>(to - from);
  }();
  return ns;
}

}  // namespace pqd::bench
