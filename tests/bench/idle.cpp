// What sessions cost that do nothing.
#include <unistd.h>

#include "tests/bench/moment.h"
#include "tests/bench/own.h"
#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

constexpr unsigned kSessions = 128;
// What the start had left to do is over.
constexpr useconds_t kSettleUs = 1'500'000;
constexpr const char* kShare = "% of a core";

}  // namespace

std::vector<Comparison> measure_idle(const Plan& plan) {
  Comparison comparison{"128 idle sessions, half of them consumers that wait", Tier::kGroupCommit};
  Line own{"pqd", "both processes of the daemon; " + std::string(kOwnSetting), true};
  repeat(plan, own, [&](Line& line) {
    OwnDaemon daemon;
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    const pid_t supervisor = daemon.daemon().pid();
    const pid_t engine = daemon.daemon().engine();
    Sides sides;
    for (unsigned i = 0; i < kSessions; ++i) {
      sides.add("session", [&, i](Side& side) {
        Client client = connect_or_fail(side, daemon.socket(), Durability::kFsync);
        if (i % 2 == 0) subscribe_or_fail(side, client, "default", 1);
        side.start();
        while (!side.over()) ::usleep(20'000);
      });
    }
    sides.add("watcher", [&](Side& side) {
      side.start();
      ::usleep(kSettleUs);
      const uint64_t before = cpu_ns_of(supervisor) + cpu_ns_of(engine);
      if (before == 0) side.fail("this kernel does not count how long threads run");
      const int64_t from = now_ns();
      while (now_ns() - from < static_cast<int64_t>(plan.seconds * 1e9)) ::usleep(10'000);
      side.report().extra = cpu_ns_of(supervisor) + cpu_ns_of(engine) - before;
      side.end_all();
    });
    const bool ran = sides.run(plan.seconds + 60);
    if (ran) {
      const double share = static_cast<double>(sides.extra_of("watcher")) / (plan.seconds * 1e9);
      line.add(kShare, 100 * share);
    }
    return sides.fault();
  });
  comparison.aims.push_back(aim_at_most(own, kShare, 0.1));
  comparison.lines.push_back(std::move(own));
  return {comparison};
}

}  // namespace pqd::bench
