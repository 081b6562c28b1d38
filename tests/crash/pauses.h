// How long clients wait when an engine dies that holds very many live jobs, and how long a start takes then:
// a real daemon, a backlog that nobody works on, and one client beside it that goes on and on. One thread
// beside the client's, which outlives what it started.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pqd::test {

struct PausePlan {
  uint64_t jobs = 1'000'000;     // the backlog: pending, of durability fsync
  uint32_t payload_bytes = 200;  // of each
  uint64_t kills = 100;          // of the engine, by SIGKILL
  uint64_t starts = 10;          // of the whole daemon after a SIGKILL, with none of its files in memory
  uint64_t seed = 1;             // of the moments of the kills
};

struct PauseReport {
  uint64_t live_jobs = 0;             // as the engine's last recovery counted them
  std::vector<double> pauses_ms;      // last acknowledgement before a death to the first one after it
  std::vector<double> recoveries_ms;  // as the engine's log says, one a death
  std::vector<double> starts_ms;      // from the program's start to its word that it is ready
  uint64_t engine_bytes = 0;          // resident, after the last start
  uint64_t engine_bytes_peak = 0;     // up to then
  uint64_t store_bytes = 0;           // of its files
  std::string fault;                  // what ended the campaign early; "" = nothing did
};

PauseReport measure_pauses(const PausePlan& plan);

// The smallest of them that so many hundredths do not exceed; 0 of none.
double percentile(std::vector<double> figures, unsigned hundredths);

}  // namespace pqd::test
