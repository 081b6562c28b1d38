// A campaign against real processes: a daemon under a mixed load, and one fault from a seed after the other.
// After some of them the load comes to its end and everything is judged by the rules of tests/support/check.
// One thread, which outlives what it started.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/load/load_history.h"

namespace pqd::test {

enum class Fault : uint8_t {
  kEngineKilled,
  kDaemonKilled,
  kProducerKilled,
  kConsumerKilled,
  kEngineStopped,  // by SIGSTOP, shorter or longer than a lease, and continued
  kProducerStopped,
  kConsumerStopped,
  kStartingEngineKilled,
  kTwoKilled,  // one right after the other
  kOperatorKilled,
};
inline constexpr size_t kFaultCount = 10;
std::string_view fault_name(Fault fault);

struct CyclePlan {
  uint64_t seed = 1;
  uint64_t cycles = 100;
  uint64_t cycles_judged = 25;     // together; then the next load begins
  uint64_t loads_daemon = 4;       // before a daemon with an empty store takes the place of the one before
  std::chrono::seconds budget{0};  // no further load begins after it; 0 = no such end
  bool tell = false;               // each fault, on stderr
  // The daemon is a service of somebody who keeps its descriptors; every other of its deaths is then a stop.
  bool descriptors_kept = false;
  uint32_t partitions = 1;  // of the daemon; each has a load of its own, and a fault meets the clients of one
  std::string programs{};          // where pqd and its engine are; "" = those of the build
  std::vector<std::string> environment{};  // of the daemon: "NAME=value", over our own
  // Takes what is left of a load that broke a rule, if there is one; "" = nothing does.
  std::string kept_directory{};
};

struct CycleReport {
  uint64_t cycles = 0;
  uint64_t loads = 0;
  std::array<uint64_t, kFaultCount> by_fault{};
  uint64_t pauses = 0;   // of the load's queue, each over a fault
  uint64_t cancels = 0;  // that counted
  uint64_t at_due_times = 0;  // faults when a schedule's run was due
  LoadFigures figures;
  std::vector<std::string> broken;  // the campaign ends with the first load that has any
};

// The daemon's configuration, and the load of the n-th queue. Restarts in quick succession, batches that come
// soon, submits that wait for room, leases that a stopped process outlasts, payloads that do not all fit into
// memory.
// More keys of [engine] may follow it.
extern const char* const kCycleConfig;
LoadOptions cycle_load(uint64_t seed, uint64_t number);

CycleReport run_cycles(const CyclePlan& plan);

}  // namespace pqd::test
