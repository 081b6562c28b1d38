// Limits of a process that runs already. Any thread.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>

#include "tests/support/sanitized.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

// Soft limit only, so that it can be lifted again; those whom the process forks have it too.
inline void limit(pid_t pid, __rlimit_resource what, uint64_t value) {
  rlimit now{};
  ASSERT_EQ(::prlimit(pid, what, nullptr, &now), 0) << std::strerror(errno);
  now.rlim_cur = value;
  ASSERT_EQ(::prlimit(pid, what, &now, nullptr), 0) << std::strerror(errno);
}

// In bytes, the nth figure of /proc/PID/statm, from 0.
inline uint64_t memory_figure(pid_t pid, int nth) {
  std::istringstream statm(read_file("/proc/" + std::to_string(pid) + "/statm"));
  uint64_t pages = 0;
  for (int i = 0; i <= nth; ++i) statm >> pages;
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Bytes of address space that it has. malloc reserves 64 MiB of it for a thread that met another one there:
// by chance, so that this is no measure of what the next process needs.
inline uint64_t address_space(pid_t pid) { return memory_figure(pid, 0); }

// Bytes that it may write to and shares with nobody, which RLIMIT_DATA limits, and its stack.
inline uint64_t data_bytes(pid_t pid) { return memory_figure(pid, 5); }

}  // namespace pqd::test
