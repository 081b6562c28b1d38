// Redis beside us: a server of its own on a Unix socket in a private directory, driven by hiredis.
#pragma once

#include <vector>

#include "tests/bench/comparison.h"
#include "tests/bench/plan.h"

namespace pqd::bench {

// LPUSH of `payload_bytes`, pipelined, appendfsync always, "jobs/s": one value a command, and many.
std::vector<Line> measure_redis_submits(const Plan& plan, unsigned producers, size_t payload_bytes);
// One LPUSH at a time, appendfsync always.
Line measure_redis_acknowledgement(const Plan& plan, size_t payload_bytes);
// LPUSH to a BLPOP that waits; nothing is written to the disk.
Line measure_redis_to_handler(const Plan& plan);

}  // namespace pqd::bench
