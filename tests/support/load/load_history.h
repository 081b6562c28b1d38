// What a load did, and what the daemon says at the end, as the history that the rules of tests/support/check
// are about. One thread.
#pragma once

#include <string>
#include <vector>

#include "tests/support/check/history.h"
#include "tests/support/load/load.h"

namespace pqd::test {

struct LoadFigures {
  uint64_t submitted = 0;
  uint64_t acknowledged = 0;
  uint64_t duplicates = 0;  // acknowledged as such
  uint64_t refused = 0;     // for want of room
  uint64_t unheard = 0;     // whose producer died before it knew; there or not
  uint64_t sent_again = 0;
  uint64_t taken = 0;
  uint64_t taken_again = 0;  // second attempts and later ones
  uint64_t settled = 0;
  uint64_t settled_late = 0;  // under a lease that was over: refused
  uint64_t completed = 0, failed = 0, timed_out = 0, cancelled = 0;
  uint64_t memory_gone = 0;       // of durability memory, finished or not, gone with an engine
  uint64_t delivery_lost = 0;     // at-most-once, gone with a consumer
  uint64_t lost = 0;              // acknowledged, and not there
  uint64_t twice = 0;             // at-most-once, and given out again
  uint64_t after_completion = 0;  // given out after that was acknowledged
  // Acknowledged commands about dead letters, each letter of many for itself.
  uint64_t redriven = 0, reviewed = 0, purged = 0;
  uint64_t schedules = 0;  // that were set
  uint64_t runs = 0;       // jobs of schedules
  uint64_t runs_late = 0;  // made a second or more after they were due

  LoadFigures& operator+=(const LoadFigures& other);
};

struct LoadJudgement {
  std::vector<std::string> broken;  // rules; empty = all hold
  LoadFigures figures;
};

// REQUIRES: finish() was called, and the daemon runs.
LoadJudgement judge(const Load& load);

}  // namespace pqd::test
