// One submit at a time, waited for: what durability costs when nobody shares it.
#include <fcntl.h>
#include <unistd.h>

#include "tests/bench/moment.h"
#include "tests/bench/own.h"
#include "tests/bench/redis.h"
#include "tests/bench/row.h"
#include "tests/bench/transport.h"
#include "tests/bench/turns.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {
namespace {

constexpr size_t kPayloadBytes = 200;
// As long as what pqd writes for such a job, about.
constexpr size_t kLineBytes = 400;

void submit_and_wait(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  const Bytes payload = random_payload(kPayloadBytes, 1);
  side.start();
  while (!side.over()) {
    const int64_t from = now_ns();
    const Ticket ticket = submit_or_fail(side, client, {.type = "bench", .payload = payload});
    if (const auto done = client.wait(ticket, test::kWatchdog); !done) side.fail(done.error().text);
    side.latency().add(static_cast<uint64_t>(now_ns() - from));
    side.did(1);
  }
}

void write_and_sync(Side& side, const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const Bytes line = random_payload(kLineBytes, 1);
  side.start();
  while (!side.over()) {
    const int64_t from = now_ns();
    if (::write(file.get(), line.data(), line.size()) < 0 || ::fdatasync(file.get()) != 0)
      throw_errno("fdatasync");
    side.latency().add(static_cast<uint64_t>(now_ns() - from));
    side.did(1);
  }
}

template <class Work>
std::string once(const Plan& plan, Line& line, Work work) {
  Sides sides;
  sides.add("caller", work);
  if (sides.run(plan.seconds)) {
    line.add("a second", sides.rate_of("caller"));
    add_latency(line, sides.latency_of("caller"));
  }
  return sides.fault();
}

}  // namespace

std::vector<Comparison> measure_acknowledgement(const Plan& plan) {
  Line own{"pqd", std::string(kOwnSetting), true};
  Line bare{"write and fdatasync", "400 bytes at the end of a file of its own, on the same file system"};
  bare.limit = true;
  std::vector<Contender> contenders{
      {std::move(own),
       [&](Line& line) {
         OwnDaemon daemon;
         if (std::string fault = daemon.start(); !fault.empty()) return fault;
         return once(plan, line, [&](Side& side) { submit_and_wait(side, daemon.socket()); });
       }},
      {std::move(bare), [&](Line& line) {
         const test::TempDir directory;
         return once(plan, line, [&](Side& side) { write_and_sync(side, directory.path("file")); });
       }}};
  if (plan.peers) contenders.push_back(redis_acknowledgement(plan, kPayloadBytes));
  Comparison comparison{"one durable submit of 200 bytes at a time", Tier::kFsync,
                        measure_in_turns(plan, std::move(contenders))};
  if (const auto& latency = comparison.lines[1].latency) {
    const auto base = static_cast<double>(latency->quantile(0.5));
    comparison.aims.push_back(aim_latency(comparison.lines[0], 0.5, 1.3 * base,
                                          "p50 at most 1.3 times the bare write's, " + short_time(base)));
  }
  return {comparison};
}

}  // namespace pqd::bench
