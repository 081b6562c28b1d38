// As many submits of 200 bytes as can be made durable, by one producer and by four.
#include "core/submit_record.h"
#include "tests/bench/own_loads.h"
#include "tests/bench/redis.h"
#include "tests/bench/rocksdb_ceiling.h"
#include "tests/bench/row.h"
#include "tests/bench/turns.h"

namespace pqd::bench {
namespace {

constexpr const char* kJobs = "jobs/s";

Contender own_submits(const Plan& plan, unsigned producers, bool with_keys) {
  Line own{with_keys ? "pqd, each with a key" : "pqd",
           with_keys ? "an idempotency key of its own each" : std::string(kOwnSetting), true};
  return {std::move(own), [=](Line& line) {
            OwnDaemon daemon;
            if (std::string fault = daemon.start(); !fault.empty()) return fault;
            Sides sides;
            for (unsigned i = 0; i < producers; ++i) add_producer(sides, daemon.socket(), with_keys);
            if (sides.run(plan.seconds)) line.add(kJobs, sides.rate_of("producer"));
            return sides.fault();
          }};
}

// What a producer publishes for one.
size_t submit_bytes() {
  const Bytes payload = random_payload(kLoadPayloadBytes, 1);
  SubmitView view;
  view.queue = "default";
  view.type = "bench";
  view.payload = payload;
  return submit_record_bytes(view);
}

}  // namespace

std::vector<Comparison> measure_durable_submit(const Plan& plan) {
  std::vector<Comparison> all;
  for (const unsigned producers : {1u, 4u}) {
    std::vector<Contender> contenders{own_submits(plan, producers, false), own_submits(plan, producers, true),
                                      rocksdb_ceiling(plan, submit_bytes())};
    // The ceiling is no peer: it delivers nothing.
    if (plan.peers)
      std::ranges::move(redis_submits(plan, producers, kLoadPayloadBytes), std::back_inserter(contenders));
    Comparison comparison{"durable submits of 200 bytes, " + std::to_string(producers) +
                              (producers == 1 ? " producer" : " producers"),
                          Tier::kGroupCommit, measure_in_turns(plan, std::move(contenders))};
    const Line& own = comparison.lines[0];
    if (const Figure* const ceiling = comparison.lines[2].figure(kJobs); ceiling != nullptr) {
      comparison.aims.push_back(
          aim_times(own, kJobs, ceiling->median(), 0.8,
                    "at least 80 % of what RocksDB takes in one packed value a commit"));
    }
    if (plan.peers) {
      comparison.aims.push_back(
          aim_times(own, kJobs, comparison.best_peer(kJobs), 1.5, "at least 1.5 times Redis"));
    }
    all.push_back(std::move(comparison));
  }
  return all;
}

}  // namespace pqd::bench
