// Very many jobs that wait: what each takes of memory, how long a start with them takes, how fast they go.
#include <unistd.h>

#include "tests/bench/moment.h"
#include "tests/bench/own.h"
#include "tests/bench/row.h"
#include "tests/bench/turns.h"

namespace pqd::bench {
namespace {

constexpr size_t kPayloadBytes = 200;
// What a further job takes is looked for over so many times the jobs. RocksDB holds 140 to 250 MB, as its
// buffers happen to be full or just emptied: of three million jobs that is 35 bytes each, of half a million
// it would be more than what is looked for.
constexpr uint64_t kFurther = 3;
constexpr uint32_t kCredits = 2'048;
// Until then even a slow machine has taken or given all of them.
constexpr double kLongestSeconds = 600;

constexpr const char* kMemory = "bytes besides its payload for each further job";
constexpr const char* kMemoryWhole = "bytes of memory a job, payloads included, by all jobs";
// No payload leaves memory for being in the store.
constexpr const char* kAllInMemory = "payload_memory_bytes = \"1TiB\"\n";
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

// When the engine has nothing left to do, so that what is under way is counted neither as jobs nor as what
// was there before: commits on their way into rows, and memory that is freed and on its way back to the
// system.
uint64_t settled_memory(OwnDaemon& own) {
  constexpr int64_t kQuietNs = 3'000'000'000;  // longer than any of that waits for more
  constexpr uint64_t kNothingNs = kQuietNs / 1'000;
  const pid_t engine = own.daemon().engine();
  for (uint64_t worked = cpu_ns_of(engine);;) {
    for (const int64_t from = now_ns(); now_ns() - from < kQuietNs;) ::usleep(10'000);
    const uint64_t by_now = cpu_ns_of(engine);
    if (by_now - worked < kNothingNs) return status_bytes_of(engine, "RssAnon:");
    worked = by_now;
  }
}

// Of the engine, in bytes.
double of_each(uint64_t before, uint64_t after, uint64_t jobs) {
  return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(jobs);
}

std::string once(Line& line, const std::string& engine, uint64_t jobs) {
  OwnDaemon own(engine);
  if (std::string fault = own.start(); !fault.empty()) return fault;
  const uint64_t empty = settled_memory(own);
  if (std::string fault = submit_all(line, own.socket(), jobs); !fault.empty()) return fault;
  line.add(kMemoryWhole, of_each(empty, settled_memory(own), jobs));
  own.daemon().kill();
  const int64_t from = now_ns();
  if (std::string fault = own.start(); !fault.empty()) return fault;
  line.add(kStart, static_cast<double>(now_ns() - from) / 1e9);
  return drain_all(line, own.socket(), jobs);
}

// What there is but once is there after the first jobs, and those that follow show what a job takes.
std::string once_further(Line& line, uint64_t jobs) {
  OwnDaemon own(kAllInMemory);
  if (std::string fault = own.start(); !fault.empty()) return fault;
  Line untold{"", "", true};
  if (std::string fault = submit_all(untold, own.socket(), jobs); !fault.empty()) return fault;
  const uint64_t before = settled_memory(own);
  if (std::string fault = submit_all(untold, own.socket(), kFurther * jobs); !fault.empty()) return fault;
  line.add(kMemory,
           of_each(before, settled_memory(own), kFurther * jobs) - static_cast<double>(kPayloadBytes));
  return "";
}

Contender bounded(const Plan& plan) {
  return {Line{"pqd", std::string(kOwnSetting), true},
          [jobs = plan.jobs](Line& line) { return once(line, "", jobs); }};
}

Contender all_in_memory(const Plan& plan) {
  return {
      Line{"pqd, all payloads in memory",
           "and none in the store alone; the engine's own memory, with what RocksDB holds of it, when it has "
           "nothing left to do; " +
               std::string(kOwnSetting),
           true},
      [jobs = plan.jobs](Line& line) {
        std::string fault = once(line, kAllInMemory, jobs);
        return fault.empty() ? once_further(line, jobs) : fault;
      }};
}

}  // namespace

std::vector<Comparison> measure_backlog(const Plan& plan) {
  Comparison comparison{
      short_number(static_cast<double>(plan.jobs)) + " live jobs of 200 bytes, durability fsync",
      Tier::kGroupCommit};
  comparison.lines = measure_in_turns(plan, {bounded(plan), all_in_memory(plan)});
  const Line& own = comparison.lines[0];
  comparison.aims = {aim_at_most(comparison.lines[1], kMemory, 256), aim_at_most(own, kStart, 2)};
  return {comparison};
}

}  // namespace pqd::bench
