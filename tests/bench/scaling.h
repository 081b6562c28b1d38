// What more CPUs and partitions may be expected to give, out of what was measured on this machine: a model of
// three limits, of which the lowest counts. See docs/partitions.md.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/report.h"

namespace pqd::bench {

// What a durable submit costs, nanoseconds of CPU time; and what one log takes.
struct SubmitCosts {
  double engine_ns = 0;        // all of the engine's threads together
  double worker_ns = 0;        // each partition has one of these,
  double checkpointer_ns = 0;  // and one of these
  double log_jobs = 0;         // a second, each written once, as RocksDB alone does it
};

struct Expected {
  double by_cpus = 0;        // jobs a second: all CPUs busy with nothing else
  double by_partitions = 0;  // the busiest thread of each partition busy all the time
  double by_log = 0;         // the log of all writes nothing but these
  double least() const;
  const char* bound() const;
};
Expected expected_submits(const SubmitCosts& costs, unsigned cpus, unsigned partitions);

// A line each for 2 to 128 CPUs, and how far what was measured here is from what is expected of this machine;
// "" when a row that it takes has no figures.
std::string scaling_of(const std::vector<RowResult>& rows);

}  // namespace pqd::bench
