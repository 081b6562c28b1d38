// In place of the C library's for the engine's own code, which is all that asks for the system's time here.
#include "tests/crash/shifted_clock.h"

#include <time.h>

#include <cstdlib>

namespace {

constexpr int64_t kSecond = 1'000'000'000;

int64_t shift() {
  static std::atomic<int64_t>* const set = [] {
    const char* path = std::getenv(pqd::test::kClockShiftVariable);
    return path == nullptr ? nullptr : pqd::test::map_clock_shift(path);
  }();
  return set == nullptr ? 0 : set->load(std::memory_order_relaxed);
}

}  // namespace

// The names are the linker's (--wrap).
extern "C" {

int __real_clock_gettime(clockid_t clock, timespec* time);
int __wrap_clock_gettime(clockid_t clock, timespec* time);

int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  const int result = __real_clock_gettime(clock, time);
  if (clock != CLOCK_REALTIME || result != 0) return result;
  const int64_t ns = time->tv_sec * kSecond + time->tv_nsec + shift();
  time->tv_sec = ns / kSecond;
  time->tv_nsec = ns % kSecond;
  return 0;
}
}
