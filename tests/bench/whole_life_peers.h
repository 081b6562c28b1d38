// Other queues, each with its own server on a private port or socket and directory, and its own client.
#pragma once

#include <vector>

#include "tests/bench/comparison.h"
#include "tests/bench/plan.h"

namespace pqd::bench {

inline constexpr size_t kWholeLifePayloadBytes = 200;
inline constexpr const char* kWholeLives = "jobs/s";

// Those whose libraries and programs are here; the others with the reason why there are no figures.
std::vector<Line> measure_whole_life_peers(const Plan& plan);

Line measure_beanstalkd(const Plan& plan);
Line measure_nats(const Plan& plan);
Line measure_rabbitmq(const Plan& plan);
Line measure_bullmq(const Plan& plan);
Line measure_bee_queue(const Plan& plan);
Line measure_graphile_worker(const Plan& plan);

}  // namespace pqd::bench
