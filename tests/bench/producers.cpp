// How the daemon bears many clients: the same work from 1 to 256 producer processes.
#include "tests/bench/own_loads.h"
#include "tests/bench/row.h"

namespace pqd::bench {

std::vector<Comparison> measure_producers(const Plan& plan) {
  std::vector<Contender> contenders;
  for (const unsigned producers : {1u, 8u, 64u, 256u}) {
    const bool one = producers == 1;
    contenders.push_back(producers_of(plan,
                                      {std::to_string(producers) + (one ? " producer" : " producers"),
                                       one ? std::string(kOwnSetting) : "", true},
                                      producers));
  }
  Comparison comparison{"durable submits of 200 bytes from many processes", Tier::kGroupCommit,
                        measure_in_turns(plan, std::move(contenders))};
  const Figure* const one = comparison.lines[0].figure(kJobsASecond);
  for (size_t i = 1; i < comparison.lines.size() && one != nullptr; ++i) {
    comparison.aims.push_back(aim_times(comparison.lines[i], kJobsASecond, one->median(), 0.7,
                                        comparison.lines[i].who + ": at least 70 % of one"));
  }
  return {comparison};
}

}  // namespace pqd::bench
