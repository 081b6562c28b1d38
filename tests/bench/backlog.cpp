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

constexpr const char* kMemory = "bytes besides its payload for each further job";
constexpr const char* kMemoryWhole = "bytes besides their payloads, by all jobs";
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

// Of the engine, in bytes a job, without what the payloads take.
double besides_payload(uint64_t before, uint64_t after, uint64_t jobs) {
  return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(jobs) -
         static_cast<double>(kPayloadBytes);
}

std::string once(Line& line, uint64_t jobs) {
  OwnDaemon own;
  if (std::string fault = own.start(); !fault.empty()) return fault;
  const auto memory = [&] { return status_bytes_of(own.daemon().engine(), "RssAnon:"); };
  const uint64_t empty = memory();
  // In two halves: RocksDB's buffers are full after the first, and the second shows what a job takes.
  if (std::string fault = submit_all(line, own.socket(), jobs / 2); !fault.empty()) return fault;
  const uint64_t half = memory();
  if (std::string fault = submit_all(line, own.socket(), jobs - jobs / 2); !fault.empty()) return fault;
  const uint64_t full = memory();
  line.add(kMemory, besides_payload(half, full, jobs - jobs / 2));
  line.add(kMemoryWhole, besides_payload(empty, full, jobs));
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
