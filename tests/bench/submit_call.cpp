// What a producer pays for one call, while the engine is awake and the lane has room: bursts that fit the
// lane, with a flush between them.
#include <sys/resource.h>

#include <fstream>

#include "tests/bench/moment.h"
#include "tests/bench/own.h"
#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

constexpr size_t kPayloadBytes = 200;
// Of about 300 bytes each; the lane has a MiB.
constexpr unsigned kBurst = 2'000;

// System calls of this process that write, doorbells among them; 0 where the kernel does not count them.
uint64_t writes_so_far() {
  std::ifstream io("/proc/self/io");
  for (std::string word; io >> word;) {
    uint64_t count = 0;
    if (word == "syscw:" && io >> count) return count;
  }
  return 0;
}
uint64_t sleeps_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_nvcsw);
}

void submit_in_bursts(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  const Bytes payload = random_payload(kPayloadBytes, 1);
  const SubmitRequest request{.type = "bench", .payload = payload};
  const double scale = ns_per_tick();
  side.start();
  while (!side.over()) {
    const uint64_t calls = writes_so_far() + sleeps_so_far();
    for (unsigned i = 0; i < kBurst; ++i) {
      const uint64_t from = now_ticks();
      submit_or_fail(side, client, request);
      side.latency().add(static_cast<uint64_t>(static_cast<double>(now_ticks() - from) * scale));
    }
    side.report().extra += writes_so_far() + sleeps_so_far() - calls;
    side.did(kBurst);
    flush_or_fail(side, client);
  }
}

}  // namespace

std::vector<Comparison> measure_submit_call(const Plan& plan) {
  Comparison comparison{"one call of submit(), 200 bytes, durability fsync, not waited for",
                        Tier::kGroupCommit};
  Line line{"pqd", "bursts of 2000 that fit the lane, a flush between them; " + std::string(kOwnSetting),
            true};
  repeat(plan, line, [&](Line& own) {
    OwnDaemon daemon;
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    Sides sides;
    sides.add("producer", [&](Side& side) { submit_in_bursts(side, daemon.socket()); });
    if (sides.run(plan.seconds)) {
      add_latency(own, sides.latency_of("producer"));
      own.add("doorbells and sleeps per 1000 calls", 1000.0 *
                                                         static_cast<double>(sides.extra_of("producer")) /
                                                         static_cast<double>(sides.count_of("producer")));
    }
    return sides.fault();
  });
  comparison.aims.push_back(aim_latency(line, 0.5, 150, "p50 at most 150 ns"));
  comparison.aims.push_back(aim_at_most(line, "doorbells and sleeps per 1000 calls", 1));
  comparison.lines.push_back(std::move(line));
  return {comparison};
}

}  // namespace pqd::bench
