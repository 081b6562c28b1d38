// Lets calls of a store to its disk fail, one a life: the store has to stop and say why, or to go on as if
// nothing had been, and to come back with all that it promised. Each life is a process of its own, for
// RocksDB may abort. Belongs to one thread.
#pragma once

#include <array>

#include "tests/crash/recorded_life.h"

namespace pqd::test {

struct FailedCallPlan {
  LifePlan life;       // how a call fails, but for which
  uint64_t first = 1;  // of the calls
  uint64_t every = 1;
  bool start = false;  // calls of the start over the store of a whole life, in place of those of the life
};

struct FailedCallReport {
  uint64_t calls = 0;    // that a life without a fault makes
  uint64_t lives = 0;    // each with a call that failed
  uint64_t stopped = 0;  // by an error that says so
  uint64_t aborted = 0;  // by RocksDB itself, after its own words
  uint64_t failed = 0;
  std::string first_failure;  // which call, and what was wrong

  FailedCallReport& operator+=(const FailedCallReport& other);
};

// Every way for calls to fail.
struct KindOfFault {
  const char* name;
  FaultPlan plan;  // but for `nth`
};
inline constexpr std::array<KindOfFault, 5> kKindsOfFaults{{
    {"once", {}},
    {"from_on", {.from_on = true}},
    {"no_space", {.from_on = true, .error = FaultPlan::Error::kNoSpace}},
    {"read", {.reads = true}},
    {"read_from_on", {.reads = true, .from_on = true}},
}};

FailedCallReport fail_calls(const FailedCallPlan& plan);

}  // namespace pqd::test
