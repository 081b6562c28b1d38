// Jobs from their submit over their delivery to their completion, each step durable.
#include "tests/bench/own_loads.h"
#include "tests/bench/row.h"
#include "tests/bench/whole_life_peers.h"

namespace pqd::bench {

std::vector<Comparison> measure_whole_life(const Plan& plan) {
  Comparison comparison{"whole lives of jobs of 200 bytes, submit, deliver, complete", Tier::kGroupCommit};
  Line own{"pqd", "one producer, one consumer with 2048 credits; " + std::string(kOwnSetting), true};
  repeat(plan, own, [&](Line& line) {
    OwnDaemon daemon;
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    Sides sides;
    add_whole_lives(sides, daemon.socket());
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
