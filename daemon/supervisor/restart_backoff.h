// How long a dead engine's successor waits: not at all the first time, then ever longer, and not at all again
// after a good while of service. Not thread-safe; knows no clock.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pqd {

struct BackoffLimits {
  int64_t first_ns = 100'000'000;
  int64_t max_ns = 5'000'000'000;
  int64_t good_service_ns = 1'000'000'000;
};

class RestartBackoff {
 public:
  explicit RestartBackoff(const BackoffLimits& limits) : limits_(limits) {}

  // After an engine that has served for `service_ns` (0 = it never did).
  int64_t next_delay_ns(int64_t service_ns) {
    if (service_ns >= limits_.good_service_ns) next_ns_ = 0;
    const int64_t delay_ns = next_ns_;
    next_ns_ = delay_ns == 0 ? limits_.first_ns : std::min(delay_ns * 2, limits_.max_ns);
    return delay_ns;
  }

 private:
  BackoffLimits limits_;
  int64_t next_ns_ = 0;
};

}  // namespace pqd
