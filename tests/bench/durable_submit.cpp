// As many submits of 200 bytes as can be made durable, by one producer and by four.
#include "core/submit_record.h"
#include "tests/bench/own_loads.h"
#include "tests/bench/redis.h"
#include "tests/bench/rocksdb_ceiling.h"
#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

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
    std::vector<Contender> contenders{
        producers_of(plan, {"pqd", std::string(kOwnSetting), true}, producers),
        producers_of(plan, {"pqd, each with a key", "an idempotency key of its own each", true}, producers,
                     true),
        rocksdb_ceiling(plan, submit_bytes())};
    // The ceiling is no peer: it delivers nothing.
    if (plan.peers)
      std::ranges::move(redis_submits(plan, producers, kLoadPayloadBytes), std::back_inserter(contenders));
    Comparison comparison{"durable submits of 200 bytes, " + std::to_string(producers) +
                              (producers == 1 ? " producer" : " producers"),
                          Tier::kGroupCommit, measure_in_turns(plan, std::move(contenders))};
    const Line& own = comparison.lines[0];
    if (const Figure* const ceiling = comparison.lines[2].figure(kJobsASecond); ceiling != nullptr) {
      comparison.aims.push_back(
          aim_times(own, kJobsASecond, ceiling->median(), 0.8,
                    "at least 80 % of what RocksDB takes in one packed value a commit"));
    }
    if (plan.peers) {
      comparison.aims.push_back(
          aim_times(own, kJobsASecond, comparison.best_peer(kJobsASecond), 1.5, "at least 1.5 times Redis"));
    }
    all.push_back(std::move(comparison));
  }
  return all;
}

}  // namespace pqd::bench
