// The broker's clock: nanoseconds since the Unix epoch that never go back and never leap. It starts at the
// system's time, or at the store's if that is later, and goes on with the boot clock, so that a corrected
// system clock times out no job; small differences are made up for slowly. Belongs to one thread.
#pragma once

#include <cstdint>

#include "core/job.h"

namespace pqd {

class EngineClock {
 public:
  // Not before `not_before_ns`, the latest time in the store.
  explicit EngineClock(TimeNs not_before_ns);

  TimeNs now();

 private:
  void follow_system(int64_t boot_ns);

  int64_t boot_ns_;      // at the anchor
  TimeNs anchor_ns_;     // what now() was there
  int64_t followed_ns_;  // boot clock when the system's time was looked at last
  bool told_leap_ = false;
};

}  // namespace pqd
