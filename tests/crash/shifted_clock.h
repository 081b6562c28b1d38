// How much a test has set the system's clock, as far as the engine in bin/hooked can see: a file with the
// nanoseconds, which it maps. Everybody else has the real time.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "shm/unique_fd.h"

namespace pqd::test {

inline constexpr const char* kClockShiftVariable = "PQD_CLOCK_SHIFT";

// relaxed throughout: a clock that is set is noticed when it is. nullptr when the file cannot be mapped.
inline std::atomic<int64_t>* map_clock_shift(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  void* page =
      ::mmap(nullptr, sizeof(std::atomic<int64_t>), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  return page == MAP_FAILED ? nullptr : static_cast<std::atomic<int64_t>*>(page);
}

}  // namespace pqd::test
