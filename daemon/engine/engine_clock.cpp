#include "daemon/engine/engine_clock.h"

#include <spdlog/spdlog.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace pqd {
namespace {

constexpr int64_t kFollowEveryNs = kSecondNs;
// Forward, differences up to this are made up for. What is larger is a clock that was set: jobs that wait
// keep their terms, and times are right again after a restart. Back, a restart changes nothing: all is made
// up for.
constexpr int64_t kForwardMaxNs = 3600 * kSecondNs;
// Of the time that passes, at most.
constexpr int64_t kSlewShare = 10;
// People hear of more than this.
constexpr int64_t kToldNs = 60 * kSecondNs;

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
  const int64_t most = (boot_ns - boot_ns_) / kSlewShare;
  return std::clamp(difference_ns_, -most, difference_ns_ > kForwardMaxNs ? 0 : most);
}

void EngineClock::follow_system(int64_t boot_ns) {
  anchor_ns_ += boot_ns - boot_ns_ + made_up_ns(boot_ns);
  boot_ns_ = boot_ns;
  difference_ns_ = skew_ns_ = read_clock(CLOCK_REALTIME) - anchor_ns_;
  tell_difference();
}

void EngineClock::tell_difference() {
  const Side side = std::abs(skew_ns_) <= kToldNs ? Side::kNone : skew_ns_ > 0 ? Side::kBehind : Side::kAhead;
  if (std::exchange(told_, side) != side && side != Side::kNone)
    spdlog::warn("{}. Jobs keep their terms", why_off());
}

std::string EngineClock::why_off() const {
  if (std::abs(skew_ns_) <= kToldNs) return {};
  const bool behind = skew_ns_ > 0;
  return "pqd's clock is " + std::to_string(std::abs(skew_ns_) / (60 * kSecondNs)) + " min " +
         (behind ? "behind" : "ahead of") +
         " the system's, and schedules and the times that it tells with it: " +
         (skew_ns_ > kForwardMaxNs ? "they are right again after a restart"
                                   : "it comes nearer by a tenth of the time that passes");
}

}  // namespace pqd
