// Cuts power at every change of a recorded life's disk, several ways each, and checks what comes back.
#pragma once

#include "tests/crash/recorded_life.h"

namespace pqd::test {

struct PowerCutPlan {
  LifePlan life;
  uint64_t images = 2;  // at random at each point; the two extremes come besides
  uint64_t points = 0;  // so many of all, chosen at random; 0 = every one
};

struct PowerCutReport {
  uint64_t points = 0;
  uint64_t images = 0;
  uint64_t refused = 0;  // not opened by itself, for of RocksDB's MANIFEST a record is torn; salvaged whole
  uint64_t failed = 0;
  uint64_t commits_told = 0;
  uint64_t tables_written = 0;
  std::string first_failure;  // which image, and what is wrong with it
};

PowerCutReport cut_power_everywhere(const PowerCutPlan& plan);

}  // namespace pqd::test
