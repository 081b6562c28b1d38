// Flips bits in the files of a store that was closed, one image a flip, and opens each by the real recovery:
// it has to be refused or to be as if nothing had happened, never to serve something else. What is refused
// has to be found by the check of a store, too, which names the file.
#pragma once

#include <map>

#include "tests/crash/recorded_life.h"

namespace pqd::test {

struct BitFlipPlan {
  LifePlan life;
  uint64_t flips = 200;   // at random, as many in each kind of file but for one
  bool witnessed = true;  // the witness knows of the last commit; otherwise this rig must find what is lost
};

struct BitFlipReport {
  struct Kind {
    uint64_t flips = 0;
    uint64_t refused = 0;   // at the start, or when what is damaged is read
    uint64_t harmless = 0;  // all is as it was
    uint64_t found = 0;     // by the check of a store, those that were harmless at the start among them
    uint64_t served = 0;    // something else than was written
    uint64_t unnamed = 0;   // refused, and the check does not name the file
    uint64_t whole = 0;     // refused, and salvaged without a loss
    uint64_t salvaged = 0;  // refused, and salvaged with losses that are named
    uint64_t wrecked = 0;   // what was salvaged is damaged
  };
  std::map<std::string, Kind> kinds;  // "table", "log", "MANIFEST", "CURRENT", "witness", ...
  std::string first_failure;          // which flip, and what is wrong

  Kind total() const;
};

BitFlipReport flip_bits(const BitFlipPlan& plan);

}  // namespace pqd::test
