// The broker's clock: nanoseconds since the Unix epoch that never go back and never leap. It starts at the
// system's time, or at the store's if that is later, and goes on with the boot clock, so that a corrected
// system clock times out no job; differences are made up for slowly. Belongs to one thread.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/job.h"

namespace pqd {

class EngineClock {
 public:
  // Not before `not_before_ns`, the latest time in the store.
  explicit EngineClock(TimeNs not_before_ns);

  TimeNs now();
  // What is to be added to a time of ours to have it by the system's clock, as now() saw both last, a second
  // before this at most. 0 where they agree within a tenth of a second, as they do unless a clock was set.
  int64_t skew_ns() const { return std::abs(skew_ns_) < kAgreedNs ? 0 : skew_ns_; }
  // For people, while the two differ by more than a minute; else empty.
  std::string why_off() const;

 private:
  enum class Side : uint8_t { kNone, kAhead, kBehind };

  static constexpr int64_t kAgreedNs = kSecondNs / 10;

  EngineClock(TimeNs not_before_ns, TimeNs system_ns, int64_t boot_ns);
  // Of the difference, by then.
  int64_t made_up_ns(int64_t boot_ns) const;
  void follow_system(int64_t boot_ns);
  void tell_difference();

  // When the system's time was looked at last:
  int64_t boot_ns_;
  TimeNs anchor_ns_;       // what now() was
  int64_t difference_ns_;  // and the system's time was ahead of it by
  int64_t skew_ns_;        // what of that was left at the last now()
  Side told_ = Side::kNone;
};

}  // namespace pqd
