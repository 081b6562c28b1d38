// A producer process: submits one job a file and measures how long each takes to be durable.
#pragma once

#include <cstdint>
#include <string>

namespace pqd::demo {

inline constexpr const char* kQueue = "hash";
inline constexpr const char* kType = "sha256";

struct ProducerOptions {
  std::string socket;
  std::string list;    // of all files
  uint32_t first = 0;  // its files: every `stride`-th from this one
  uint32_t stride = 1;
  uint8_t priority = 5;
};

// Tells each durable job on descriptor 1. Half way through the list it waits for a byte on descriptor 0 (or
// its end, which ends the producer too). The exit status of the process; what went wrong is on stderr.
int run_producer(const ProducerOptions& options);

}  // namespace pqd::demo
