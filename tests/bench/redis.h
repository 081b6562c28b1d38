// Redis beside us: a server of its own on a Unix socket in a private directory, driven by hiredis.
#pragma once

#include <vector>

#include "tests/bench/turns.h"

namespace pqd::bench {

// LPUSH of `payload_bytes`, pipelined, appendfsync always, "jobs/s": one value a command, and many.
std::vector<Contender> redis_submits(const Plan& plan, unsigned producers, size_t payload_bytes);
// One LPUSH at a time, appendfsync always.
Contender redis_acknowledgement(const Plan& plan, size_t payload_bytes);
// LPUSH to a BLPOP that waits; nothing is written to the disk.
Contender redis_to_handler(const Plan& plan);

}  // namespace pqd::bench
