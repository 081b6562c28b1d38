// Very many jobs that wait: what each takes of memory, how long a start with them takes, how fast they go.
#include "tests/bench/moment.h"
#include "tests/bench/own.h"
#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

constexpr size_t kPayloadBytes = 200;
constexpr uint32_t kCredits = 2'048;
// Until then even a slow machine has taken or given all of them.
constexpr double kLongestSeconds = 600;

constexpr const char* kMemory = "bytes a job besides its payload";
constexpr const char* kStart = "s to start after a kill";
constexpr const char* kSubmitted = "jobs/s submitted";
constexpr const char* kDrained = "jobs/s drained";

std::string submit_all(Line& line, const std::string& socket, uint64_t jobs) {
  Sides sides;
  sides.add("producer", [&](Side& side) {
    Client client = connect_or_fail(side, socket, Durability::kFsync);
    side.start();
    Bytes payload = random_payload(kPayloadBytes, 1);
    for (; side.done() < jobs; side.did(1))
      submit_or_fail(side, client, {.type = "bench", .payload = payload});
    flush_or_fail(side, client);
    side.end_all();
  });
  if (sides.run(kLongestSeconds)) line.add(kSubmitted, sides.rate_of("producer"));
  return sides.fault();
}

std::string drain_all(Line& line, const std::string& socket, uint64_t jobs) {
  Sides sides;
  sides.add("consumer", [&](Side& side) {
    Client client = connect_or_fail(side, socket, Durability::kFsync);
    side.start();
    subscribe_or_fail(side, client, "default", kCredits);
    while (side.done() < jobs) {
      const auto job = next_or_fail(side, client, test::kWatchdog);
      if (!job) side.fail("no job comes any more");
      complete_or_fail(side, client, *job);
      side.did(1);
    }
    flush_or_fail(side, client);
    side.end_all();
  });
  if (sides.run(kLongestSeconds)) line.add(kDrained, sides.rate_of("consumer"));
  return sides.fault();
}

std::string once(Line& line, uint64_t jobs) {
  OwnDaemon own;
  if (std::string fault = own.start(); !fault.empty()) return fault;
  const uint64_t before = status_bytes_of(own.daemon().engine(), "RssAnon:");
  if (std::string fault = submit_all(line, own.socket(), jobs); !fault.empty()) return fault;
  const uint64_t after = status_bytes_of(own.daemon().engine(), "RssAnon:");
  line.add(kMemory, (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(jobs) -
                        static_cast<double>(kPayloadBytes));
  own.daemon().kill();
  const int64_t from = now_ns();
  if (std::string fault = own.start(); !fault.empty()) return fault;
  line.add(kStart, static_cast<double>(now_ns() - from) / 1e9);
  return drain_all(line, own.socket(), jobs);
}

}  // namespace

std::vector<Comparison> measure_backlog(const Plan& plan) {
  Comparison comparison{
      short_number(static_cast<double>(plan.jobs)) + " live jobs of 200 bytes, durability fsync",
      Tier::kGroupCommit};
  Line line{"pqd", "the engine's own memory, with what RocksDB holds of it; " + std::string(kOwnSetting),
            true};
  repeat(plan, line, [&](Line& own) { return once(own, plan.jobs); });
  comparison.aims = {aim_at_most(line, kMemory, 256), aim_at_most(line, kStart, 2)};
  comparison.lines.push_back(std::move(line));
  return {comparison};
}

}  // namespace pqd::bench
