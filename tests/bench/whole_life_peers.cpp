#include "tests/bench/whole_life_peers.h"

namespace pqd::bench {
namespace {

#if !defined(PQD_BENCH_NATS) || !defined(PQD_BENCH_RABBITMQ)
Line absent(const char* who, const char* library) {
  Line line{who, ""};
  line.fault = std::string("built without ") + library;
  return line;
}
#endif

}  // namespace

std::vector<Line> measure_whole_life_peers(const Plan& plan) {
  std::vector<Line> lines{measure_beanstalkd(plan)};
#ifdef PQD_BENCH_NATS
  lines.push_back(measure_nats(plan));
#else
  lines.push_back(absent("NATS JetStream", "nats.c"));
#endif
#ifdef PQD_BENCH_RABBITMQ
  lines.push_back(measure_rabbitmq(plan));
#else
  lines.push_back(absent("RabbitMQ", "librabbitmq"));
#endif
  lines.push_back(measure_bullmq(plan));
  lines.push_back(measure_bee_queue(plan));
  lines.push_back(measure_graphile_worker(plan));
  return lines;
}

}  // namespace pqd::bench
