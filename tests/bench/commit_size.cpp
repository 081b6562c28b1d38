// How throughput grows with what a commit holds: one producer lets so many jobs be on their way and no more,
// so that a commit is one job, then a few, then as many as come while the disk syncs.
#include <deque>

#include "daemon/store/witness.h"
#include "tests/bench/own.h"
#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

constexpr size_t kPayloadBytes = 200;

constexpr size_t kNoLimit = 0;

void submit_with_on_their_way(Side& side, const std::string& socket, size_t most) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  const Bytes payload = random_payload(kPayloadBytes, 1);
  std::deque<Ticket> on_their_way;
  const auto wait_for_oldest = [&] {
    if (const auto done = client.wait(on_their_way.front(), test::kWatchdog); !done)
      side.fail(done.error().text);
    on_their_way.pop_front();
    side.did(1);
  };
  side.start();
  while (!side.over()) {
    const Ticket ticket = submit_or_fail(side, client, {.type = "bench", .payload = payload});
    if (most == kNoLimit) {
      side.did(1);
      continue;
    }
    on_their_way.push_back(ticket);
    if (on_their_way.size() == most) wait_for_oldest();
  }
  while (!on_their_way.empty()) wait_for_oldest();
  flush_or_fail(side, client);
}

// How many commits the store of a daemon that has ended holds; 0 = it cannot be told.
uint64_t commits_in(const std::string& directory) {
  const auto read = Witness::read(directory + "/state");
  return read && *read ? (*read)->commit : 0;
}

Line measure_with(const Plan& plan, size_t most) {
  Line own{most == kNoLimit ? "as many as the lane takes"
                            : std::to_string(most) + (most == 1 ? " at a time" : " on their way"),
           most == 1 ? std::string(kOwnSetting) : "", true};
  repeat(plan, own, [&](Line& line) -> std::string {
    OwnDaemon daemon;
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    Sides sides;
    sides.add("producer", [&](Side& side) { submit_with_on_their_way(side, daemon.socket(), most); });
    if (!sides.run(plan.seconds)) return sides.fault();
    daemon.daemon().stop();
    const uint64_t commits = commits_in(daemon.daemon().directory());
    if (commits == 0) return "the store does not say how many commits it has";
    line.add(kJobsASecond, sides.rate_of("producer"));
    line.add(kJobsACommit, static_cast<double>(sides.count_of("producer")) / static_cast<double>(commits));
    return "";
  });
  return own;
}

}  // namespace

std::vector<Comparison> measure_commit_size(const Plan& plan) {
  Comparison comparison{"durable submits of 200 bytes by one producer, by how many may be unacknowledged",
                        Tier::kGroupCommit};
  for (size_t most = 1; most <= 4'096; most *= 4) comparison.lines.push_back(measure_with(plan, most));
  comparison.lines.push_back(measure_with(plan, kNoLimit));
  return {comparison};
}

}  // namespace pqd::bench
