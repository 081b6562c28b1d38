// `crash --cycles`: a campaign of faults of real processes as a program.
#pragma once

#include <cstdint>
#include <string>

namespace pqd::test {

struct CycleOrder {
  uint64_t cycles = 0;  // 0 = none are asked for
  uint64_t seed = 1;
  bool kept = false;         // see CyclePlan::descriptors_kept
  uint32_t partitions = 1;   // of the daemon
  uint64_t minutes = 0;      // 0 = until all cycles are through
  bool tell = false;         // each fault, on stderr
  std::string figures_file;  // a page with the marks that the figures go between; "" = none
};

// Prints the figures. The exit status: 1 when a rule was broken.
int run_cycle_campaign(const CycleOrder& order);

}  // namespace pqd::test
