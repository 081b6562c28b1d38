// Jobs from their submit over their delivery to their completion, each step durable.
#include <unistd.h>

#include "tests/bench/own.h"
#include "tests/bench/row.h"
#include "tests/bench/whole_life_peers.h"

namespace pqd::bench {
namespace {

constexpr uint32_t kCredits = 2'048;
// So many jobs may be on their way: a queue whose consumers keep up.
constexpr uint64_t kWindow = 20'000;
constexpr unsigned kBetweenLooks = 64;

void submit_within_window(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  const Bytes payload = random_payload(kWholeLifePayloadBytes, 1);
  side.start();
  while (!side.over()) {
    for (unsigned i = 0; i < kBetweenLooks; ++i)
      submit_or_fail(side, client, {.type = "bench", .payload = payload});
    side.did(kBetweenLooks);
    while (side.done() > side.done_by("consumer") + kWindow && !side.over()) ::usleep(100);
  }
  flush_or_fail(side, client);
}

void complete_all_the_time(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  subscribe_or_fail(side, client, "default", kCredits);
  side.start();
  while (!side.over()) {
    const auto job = next_or_fail(side, client, Milliseconds(20));
    if (!job) continue;
    complete_or_fail(side, client, *job);
    side.did(1);
  }
  flush_or_fail(side, client);
}

}  // namespace

std::vector<Comparison> measure_whole_life(const Plan& plan) {
  Comparison comparison{"whole lives of jobs of 200 bytes, submit, deliver, complete", Tier::kGroupCommit};
  Line own{"pqd", "one producer, one consumer with 2048 credits; " + std::string(kOwnSetting), true};
  repeat(plan, own, [&](Line& line) {
    OwnDaemon daemon;
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    Sides sides;
    sides.add("consumer", [&](Side& side) { complete_all_the_time(side, daemon.socket()); });
    sides.add("producer", [&](Side& side) { submit_within_window(side, daemon.socket()); });
    if (sides.run(plan.seconds)) line.add(kWholeLives, sides.rate_of("consumer"));
    return sides.fault();
  });
  comparison.aims.push_back(aim_at_least(own, kWholeLives, 300e3));
  comparison.lines.push_back(std::move(own));
  if (plan.peers) {
    for (Line& peer : measure_whole_life_peers(plan)) comparison.lines.push_back(std::move(peer));
    comparison.aims.push_back(aim_times(comparison.lines[0], kWholeLives, comparison.best_peer(kWholeLives),
                                        5, "at least 5 times the best"));
  }
  return {comparison};
}

}  // namespace pqd::bench
