// A page that a test and the processes with crash points share: which point is armed, and which were reached.
// The processes find it by the environment variable kCrashBoardVariable, a path; without it no point does
// anything. The test arms one at a time; any process may meet it.
#pragma once

#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace pqd::test {

inline constexpr const char* kCrashBoardVariable = "PQD_CRASH_BOARD";
inline constexpr size_t kCrashPointsMax = 128;

// relaxed throughout: nothing hangs on them but that one process dies.
struct CrashBoard {
  std::atomic<uint32_t> armed{0};  // the point's number, from 1; 0 = none
  std::atomic<int32_t> left{0};    // times that it is reached before the process dies; below 1 = it has died
  std::atomic<int32_t> dying{0};   // the process that dies of it
  std::array<std::atomic<uint64_t>, kCrashPointsMax> reached{};
};

// Every point, by source; numbered from 1.
const std::vector<std::string_view>& crash_points();

// nullptr when the file cannot be mapped.
CrashBoard* map_crash_board(const std::string& path);

}  // namespace pqd::test
