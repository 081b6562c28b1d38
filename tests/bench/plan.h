// How long and how often a run measures.
#pragma once

#include <cstdint>
#include <string>

namespace pqd::bench {

struct Plan {
  double seconds = 1;             // of each repeat; 0.01..3600
  unsigned repeats = 3;           // of each line of a comparison; 1..100
  uint64_t jobs = 1'000'000;      // of the row about very many live jobs
  bool peers = true;              // false: only ours
  std::string peers_directory{};  // where npm's peers are; "" = they are left out
};

}  // namespace pqd::bench
