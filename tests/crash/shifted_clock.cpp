// In place of the C library's for the engine's own code, which is all that asks for these times here.
#include "tests/crash/shifted_clock.h"

#include <time.h>

#include <cstdlib>

namespace {

constexpr int64_t kSecond = 1'000'000'000;

int64_t shift(clockid_t clock) {
  static const pqd::test::ClockShift* const set = [] {
    const char* path = std::getenv(pqd::test::kClockShiftVariable);
    return path == nullptr ? nullptr : pqd::test::map_clock_shift(path);
  }();
  if (set == nullptr) return 0;
  return (clock == CLOCK_REALTIME ? set->system_ns : set->boot_ns).load(std::memory_order_relaxed);
}

}  // namespace

// The names are the linker's (--wrap).
extern "C" {

int __real_clock_gettime(clockid_t clock, timespec* time);
int __wrap_clock_gettime(clockid_t clock, timespec* time);

int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  const int result = __real_clock_gettime(clock, time);
  if ((clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME) || result != 0) return result;
  const int64_t ns = time->tv_sec * kSecond + time->tv_nsec + shift(clock);
  time->tv_sec = ns / kSecond;
  time->tv_nsec = ns % kSecond;
  return 0;
}
}
