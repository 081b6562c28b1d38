// How long an urgent job takes to its consumer, with nothing else to do and while others submit, and are
// given, jobs of the lowest priority as fast as they can. Beside it what nobody can be better than who has a
// process between two others: two of them woken, one after the other, on CPUs that are as busy.
#include <unistd.h>

#include "tests/bench/moment.h"
#include "tests/bench/own.h"
#include "tests/bench/row.h"
#include "tests/bench/transport.h"
#include "tests/bench/turns.h"

namespace pqd::bench {
namespace {

constexpr useconds_t kRestUs = 500;
constexpr size_t kPayloadBytes = 200;
constexpr uint8_t kLowest = 1;
constexpr uint8_t kHighest = 20;

void subscribe_to(Side& side, Client& client, std::string_view type, uint32_t credits) {
  const auto number = client.subscribe({.types = {type}, .credits = credits});
  if (!number) side.fail("subscribe: " + number.error().text);
}

void submit_low(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  const Bytes payload = random_payload(kPayloadBytes, 1);
  side.start();
  while (!side.over()) {
    submit_or_fail(side, client,
                   {.type = "low", .payload = payload, .mode = Mode::kPriority, .priority = kLowest});
    side.did(1);
  }
}

void complete_low(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  subscribe_to(side, client, "low", 512);
  side.start();
  while (!side.over()) {
    if (const auto job = next_or_fail(side, client, Milliseconds(20))) {
      complete_or_fail(side, client, *job);
      side.did(1);
    }
  }
}

void submit_urgent(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  Bytes payload = random_payload(kPayloadBytes, 1);
  side.start();
  for (uint64_t sent = 0; !side.over();) {
    ::usleep(kRestUs);
    stamp(payload);
    submit_or_fail(side, client,
                   {.type = "urgent", .payload = payload, .mode = Mode::kPriority, .priority = kHighest});
    ++sent;
    while (side.done_by("urgent") < sent && !side.over()) ::usleep(50);
  }
}

void take_urgent(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  subscribe_to(side, client, "urgent", 4);
  side.start();
  time_and_complete(side, client, Milliseconds(50));
}

Contender urgent_jobs(const Plan& plan, bool busy) {
  Line own{busy ? "beside low priority" : "alone", busy ? std::string(kOwnSetting) : "", true};
  const auto once = [=](Line& line) {
    OwnDaemon daemon;
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    Sides sides;
    if (busy) {
      sides.add("low", [&](Side& side) { submit_low(side, daemon.socket()); });
      sides.add("low done", [&](Side& side) { complete_low(side, daemon.socket()); });
    }
    sides.add("urgent", [&](Side& side) { take_urgent(side, daemon.socket()); });
    sides.add("caller", [&](Side& side) { submit_urgent(side, daemon.socket()); });
    if (sides.run(plan.seconds)) {
      add_latency(line, sides.latency_of("urgent"));
      if (busy) line.add("low jobs/s submitted", sides.rate_of("low"));
      if (busy) line.add("low jobs/s completed", sides.rate_of("low done"));
    }
    return sides.fault();
  };
  return {std::move(own), once};
}

// Producer, consumer, worker and committer are busy beside the urgent ones.
constexpr int kBusyLoops = 4;

void send_stamps(Side& side, Transport& way) {
  way.open_sender();
  side.start();
  for (uint64_t sent = 0; !side.over();) {
    ::usleep(kRestUs);
    way.send(std::array{Record{static_cast<uint64_t>(now_ns())}});
    ++sent;
    while (side.done_by("urgent") < sent && !side.over()) ::usleep(50);
  }
  way.send(std::array{Record{kLastRecord}});
  way.finish();
}

void pass_stamps_on(Side& side, Transport& in, Transport& out) {
  in.open_receiver();
  out.open_sender();
  std::array<Record, 1> record{};
  side.start();
  do {
    in.receive(record);
    out.send(record);
  } while (record[0].number != kLastRecord);
  in.finish();
  out.finish();
}

void take_stamps(Side& side, Transport& way) {
  way.open_receiver();
  std::array<Record, 1> record{};
  side.start();
  while (way.receive(record) == 1 && record[0].number != kLastRecord) {
    side.latency().add(static_cast<uint64_t>(now_ns()) - record[0].number);
    side.did(1);
  }
  way.finish();
}

Contender bare_wakes(const Plan& plan) {
  Line bare{"two bare wake-ups",
            "64 bytes through a pipe, a process that passes them on, and another pipe, beside " +
                std::to_string(kBusyLoops) + " processes that only loop"};
  bare.limit = true;
  const auto once = [=](Line& line) {
    const auto first = make_pipe(), second = make_pipe();
    Sides sides;
    for (int i = 0; i < kBusyLoops; ++i) {
      sides.add("loop", [](Side& side) {
        side.start();
        while (!side.over()) {
        }
      });
    }
    sides.add("urgent", [&](Side& side) { take_stamps(side, *second); });
    sides.add("between", [&](Side& side) { pass_stamps_on(side, *first, *second); });
    sides.add("caller", [&](Side& side) { send_stamps(side, *first); });
    if (sides.run(plan.seconds)) add_latency(line, sides.latency_of("urgent"));
    return sides.fault();
  };
  return {std::move(bare), once};
}

}  // namespace

std::vector<Comparison> measure_urgent(const Plan& plan) {
  Comparison comparison{
      "from submit to handler of a job of priority 20, durability fsync", Tier::kGroupCommit,
      measure_in_turns(plan, {urgent_jobs(plan, true), urgent_jobs(plan, false), bare_wakes(plan)})};
  if (const auto& alone = comparison.lines[1].latency) {
    const auto base = static_cast<double>(alone->quantile(0.99));
    comparison.aims.push_back(aim_latency(comparison.lines[0], 0.99, 2 * base,
                                          "p99 at most twice the one alone, " + short_time(base)));
  }
  return {comparison};
}

}  // namespace pqd::bench
