// How much a test has set the system's clock, and for how long the machine was asleep, as far as the engine
// in bin/hooked can see: a file with the nanoseconds, which it maps. Everybody else has the real time.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "shm/unique_fd.h"

namespace pqd::test {

inline constexpr const char* kClockShiftVariable = "PQD_CLOCK_SHIFT";

// relaxed throughout: a clock that is set is noticed when it is.
struct ClockShift {
  std::atomic<int64_t> system_ns;  // CLOCK_REALTIME
  std::atomic<int64_t> boot_ns;    // CLOCK_BOOTTIME; CLOCK_MONOTONIC stands still in a sleep
};

// nullptr when the file cannot be mapped. REQUIRES: it is as large as a ClockShift.
inline ClockShift* map_clock_shift(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  void* page = ::mmap(nullptr, sizeof(ClockShift), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  return page == MAP_FAILED ? nullptr : static_cast<ClockShift*>(page);
}

}  // namespace pqd::test
