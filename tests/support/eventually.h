// Waiting for a condition instead of sleeping and hoping.
#pragma once

#include <chrono>
#include <thread>

namespace pqd::test {

// A watchdog, not an expectation: only a test that hangs meets it.
inline constexpr std::chrono::seconds kWatchdog{60};
inline constexpr std::chrono::milliseconds kLookEvery{2};

// True as soon as `holds()` does; false when the watchdog had to step in.
template <class Condition>
bool eventually(Condition holds, std::chrono::milliseconds watchdog = kWatchdog) {
  const auto end = std::chrono::steady_clock::now() + watchdog;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kLookEvery);
  }
  return true;
}

}  // namespace pqd::test
