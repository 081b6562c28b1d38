// What more than one row lets clients of ours do.
#pragma once

#include "tests/bench/own.h"
#include "tests/bench/turns.h"

namespace pqd::bench {

inline constexpr size_t kLoadPayloadBytes = 200;

// Adds a side "producer" that submits durable jobs all the time.
void add_producer(Sides& sides, const std::string& socket, bool with_keys = false);
// Adds a side "producer" and a side "consumer": whole lives, with so many on their way that both are busy.
void add_whole_lives(Sides& sides, const std::string& socket);
// A daemon, and so many producers of that kind: "jobs/s" for `line`.
Contender producers_of(const Plan& plan, Line line, unsigned producers, bool with_keys = false);

}  // namespace pqd::bench
