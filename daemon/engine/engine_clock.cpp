#include "daemon/engine/engine_clock.h"

#include <spdlog/spdlog.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>

namespace pqd {
namespace {

constexpr int64_t kFollowEveryNs = kSecondNs;
// Differences up to this are made up for, a tenth of the time that passes at most. What is larger is a clock
// that was set: jobs that wait keep their terms, and times are right again after a restart.
constexpr int64_t kDifferenceMaxNs = 3600 * kSecondNs;
constexpr int64_t kSlewShare = 10;

int64_t read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time.tv_sec * kSecondNs + time.tv_nsec;
}

}  // namespace

EngineClock::EngineClock(TimeNs not_before_ns)
    : EngineClock(not_before_ns, read_clock(CLOCK_REALTIME), read_clock(CLOCK_BOOTTIME)) {}

EngineClock::EngineClock(TimeNs not_before_ns, TimeNs system_ns, int64_t boot_ns)
    : boot_ns_(boot_ns),
      anchor_ns_(std::max(system_ns, not_before_ns)),
      difference_ns_(system_ns - anchor_ns_),
      skew_ns_(difference_ns_) {}

TimeNs EngineClock::now() {
  const int64_t boot_ns = read_clock(CLOCK_BOOTTIME);
  if (boot_ns - boot_ns_ >= kFollowEveryNs) follow_system(boot_ns);
  const int64_t made_up = made_up_ns(boot_ns);
  skew_ns_ = difference_ns_ - made_up;
  return anchor_ns_ + (boot_ns - boot_ns_) + made_up;
}

// Never as much as has passed, so that now() stays monotone.
int64_t EngineClock::made_up_ns(int64_t boot_ns) const {
  if (std::abs(difference_ns_) > kDifferenceMaxNs) return 0;
  const int64_t most = (boot_ns - boot_ns_) / kSlewShare;
  return std::clamp(difference_ns_, -most, most);
}

void EngineClock::follow_system(int64_t boot_ns) {
  anchor_ns_ += boot_ns - boot_ns_ + made_up_ns(boot_ns);
  boot_ns_ = boot_ns;
  difference_ns_ = skew_ns_ = read_clock(CLOCK_REALTIME) - anchor_ns_;
  const bool leap = std::abs(difference_ns_) > kDifferenceMaxNs;
  if (leap && !told_leap_) {
    spdlog::warn(
        "the system's clock is {} s {} pqd's: it was set while pqd ran. Jobs keep their terms; times are "
        "right again after a restart",
        std::abs(difference_ns_) / kSecondNs, difference_ns_ > 0 ? "ahead of" : "behind");
  }
  told_leap_ = leap;
}

}  // namespace pqd
