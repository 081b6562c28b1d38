// How the daemon bears many clients: the same work from 1 to 256 producer processes.
#include "tests/bench/own.h"
#include "tests/bench/row.h"
#include "tests/bench/turns.h"

namespace pqd::bench {
namespace {

constexpr size_t kPayloadBytes = 200;
constexpr unsigned kBetweenLooks = 16;
constexpr const char* kJobs = "jobs/s";

Contender with(const Plan& plan, unsigned producers) {
  Line own{std::to_string(producers) + (producers == 1 ? " producer" : " producers"),
           producers == 1 ? std::string(kOwnSetting) : "", true};
  return {std::move(own), [=](Line& line) {
            OwnDaemon daemon;
            if (std::string fault = daemon.start(); !fault.empty()) return fault;
            Sides sides;
            for (unsigned i = 0; i < producers; ++i) {
              sides.add("producer", [&](Side& side) {
                Client client = connect_or_fail(side, daemon.socket(), Durability::kFsync);
                const Bytes payload = random_payload(kPayloadBytes, 1);
                side.start();
                while (!side.over()) {
                  for (unsigned k = 0; k < kBetweenLooks; ++k)
                    submit_or_fail(side, client, {.type = "bench", .payload = payload});
                  side.did(kBetweenLooks);
                }
                flush_or_fail(side, client);
              });
            }
            if (sides.run(plan.seconds)) line.add(kJobs, sides.rate_of("producer"));
            return sides.fault();
          }};
}

}  // namespace

std::vector<Comparison> measure_producers(const Plan& plan) {
  std::vector<Contender> contenders;
  for (const unsigned producers : {1u, 8u, 64u, 256u}) contenders.push_back(with(plan, producers));
  Comparison comparison{"durable submits of 200 bytes from many processes", Tier::kGroupCommit,
                        measure_in_turns(plan, std::move(contenders))};
  const Figure* const one = comparison.lines[0].figure(kJobs);
  for (size_t i = 1; i < comparison.lines.size() && one != nullptr; ++i) {
    comparison.aims.push_back(aim_times(comparison.lines[i], kJobs, one->median(), 0.7,
                                        comparison.lines[i].who + ": at least 70 % of one"));
  }
  return {comparison};
}

}  // namespace pqd::bench
