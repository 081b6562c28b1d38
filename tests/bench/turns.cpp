#include "tests/bench/turns.h"

#include "tests/bench/machine.h"

namespace pqd::bench {

std::vector<Line> measure_in_turns(const Plan& plan, std::vector<Contender> contenders, Distance distance) {
  for (unsigned turn = 0; turn < plan.repeats; ++turn) {
    for (Contender& contender : contenders) {
      Line& line = contender.line;
      if (!line.fault.empty()) continue;
      if (distance == Distance::kTold) line.between_cpus_ns.push_back(ns_between_cpus());
      line.fault = contender.once(line);
    }
  }
  std::vector<Line> lines;
  for (Contender& contender : contenders) lines.push_back(std::move(contender.line));
  return lines;
}

}  // namespace pqd::bench
