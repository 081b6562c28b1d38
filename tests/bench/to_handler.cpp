// From a submit to the first line of its consumer's code: with all who wait looking all the time, which on
// two CPUs leaves one thread to be producer and consumer; with a consumer of its own that looks; and with
// everybody asleep in between.
#include <unistd.h>

#include "tests/bench/moment.h"
#include "tests/bench/own.h"
#include "tests/bench/redis.h"
#include "tests/bench/row.h"
#include "tests/bench/transport.h"
#include "tests/bench/turns.h"

namespace pqd::bench {
namespace {

// So long after the last one everybody has gone to sleep.
constexpr useconds_t kRestUs = 300;
constexpr size_t kPayloadBytes = 64;

enum class Manner : uint8_t { kLooking, kSleeping };

// Longer than anybody here takes for an answer.
constexpr const char* kEngineLooks = "spin_us = 1000\n";
// As by default on two CPUs, whatever this machine has.
constexpr const char* kEngineSleeps = "spin_us = 0\n";

// Producer and consumer in one thread. Before the next submit the completion has been taken, so that the
// engine does nothing but look.
void look_for_own(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kMemory);
  subscribe_or_fail(side, client, "default", 16);
  Bytes payload = random_payload(kPayloadBytes, 1);
  side.start();
  while (!side.over()) {
    stamp(payload);
    submit_or_fail(side, client, {.type = "bench", .payload = payload});
    std::optional<DeliveredJob> job;
    while (!(job = next_or_fail(side, client, Milliseconds(0))) && !side.over()) {
    }
    if (!job) return;
    side.latency().add(static_cast<uint64_t>(now_ns() - stamped_ns(*job)));
    const auto ticket = client.complete(*job);
    if (!ticket) side.fail("complete: " + ticket.error().text);
    for (bool taken = false; !taken && !side.over();) {
      const auto outcome = client.poll(*ticket);
      if (!outcome) side.fail("complete: " + outcome.error().text);
      taken = outcome->has_value();
    }
    side.did(1);
  }
}

// Each job says when it was submitted; the next one follows when it has arrived.
void send_one_by_one(Side& side, const std::string& socket, Manner manner) {
  Client client = connect_or_fail(side, socket, Durability::kMemory);
  Bytes payload = random_payload(kPayloadBytes, 1);
  side.start();
  for (uint64_t sent = 0; !side.over();) {
    if (manner == Manner::kSleeping) ::usleep(kRestUs);
    stamp(payload);
    submit_or_fail(side, client, {.type = "bench", .payload = payload});
    ++sent;
    // Asleep meanwhile: whoever looks without a break takes a CPU from engine or consumer.
    while (side.done_by("consumer") < sent && !side.over()) ::usleep(20);
  }
}

void take_and_note(Side& side, const std::string& socket, Manner manner) {
  Client client = connect_or_fail(side, socket, Durability::kMemory);
  subscribe_or_fail(side, client, "default", 16);
  side.start();
  time_and_complete(side, client, Milliseconds(manner == Manner::kLooking ? 0 : 50));
}

// A rate limit is charged in the journal: then a job of durability `memory`, too, waits for a commit to be
// written.
Contender one_thread(const Plan& plan, bool rated) {
  Line own{rated ? "pqd, one thread" : "pqd, one thread, no rate limit",
           "submits and calls next(0) without a break until its job is there; the engine looks as long, "
           "spin_us = 1000; " +
               (rated ? std::string(kOwnSetting) : std::string(kUnratedSetting)),
           true};
  const auto once = [=](Line& line) {
    OwnDaemon daemon(kEngineLooks, rated);
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    Sides sides;
    sides.add("client", [&](Side& side) { look_for_own(side, daemon.socket()); });
    if (sides.run(plan.seconds)) add_latency(line, sides.latency_of("client"));
    return sides.fault();
  };
  return {std::move(own), once};
}

Contender own_jobs(const Plan& plan, const char* who, Manner manner, const char* engine, const char* how) {
  Line own{who, how + std::string(kOwnSetting), true};
  const auto once = [=](Line& line) {
    OwnDaemon daemon(engine);
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    Sides sides;
    sides.add("consumer", [&](Side& side) { take_and_note(side, daemon.socket(), manner); });
    sides.add("producer", [&](Side& side) { send_one_by_one(side, daemon.socket(), manner); });
    if (sides.run(plan.seconds)) add_latency(line, sides.latency_of("consumer"));
    return sides.fault();
  };
  return {std::move(own), once};
}

// The same over a transport that only carries.
Contender over_transport(const Plan& plan, const TransportKind& kind) {
  Line peer{kind.name, "sender and receiver sleep before each; no broker between them"};
  const auto once = [=](Line& line) {
    const auto transport = kind.make();
    Sides sides;
    sides.add("receiver", [&](Side& side) {
      transport->open_receiver();
      std::array<Record, 1> record{};
      side.start();
      while (transport->receive(record) == 1 && record[0].number != kLastRecord) {
        side.latency().add(static_cast<uint64_t>(now_ns()) - record[0].number);
        side.did(1);
      }
      transport->finish();
    });
    sides.add("sender", [&](Side& side) {
      transport->open_sender();
      std::array<Record, 1> record{};
      side.start();
      for (uint64_t sent = 0; !side.over();) {
        ::usleep(kRestUs);
        record[0].number = static_cast<uint64_t>(now_ns());
        transport->send(record);
        ++sent;
        while (side.done_by("receiver") < sent && !side.over()) ::usleep(20);
      }
      record[0].number = kLastRecord;
      transport->send(record);
      transport->finish();
    });
    if (sides.run(plan.seconds)) add_latency(line, sides.latency_of("receiver"));
    return sides.fault();
  };
  return {std::move(peer), once};
}

}  // namespace

std::vector<Comparison> measure_to_handler(const Plan& plan) {
  Comparison looking{
      "from submit to handler, durability memory, looking all the time", Tier::kMemory,
      measure_in_turns(
          plan, {one_thread(plan, true), one_thread(plan, false),
                 own_jobs(plan, "pqd, engine looks too", Manner::kLooking, kEngineLooks,
                          "the consumer calls next(0) without a break, the engine looks, spin_us = "
                          "1000, the producer sleeps between two; "),
                 own_jobs(plan, "pqd, consumer looks", Manner::kLooking, kEngineSleeps,
                          "the consumer calls next(0) without a break, engine and producer sleep; ")})};
  // With what pqd does for its users, as in all rows.
  looking.aims.push_back(aim_latency(looking.lines[0], 0.5, 3'000, "all who wait look: p50 at most 3 us"));
  std::vector<Contender> sleepers{own_jobs(plan, "pqd", Manner::kSleeping, kEngineSleeps,
                                           "producer, engine and consumer sleep before each; ")};
  if (plan.peers) {
    for (const TransportKind& kind : peer_transports())
      if (std::string_view(kind.name) == "ZeroMQ ipc") sleepers.push_back(over_transport(plan, kind));
    sleepers.push_back(redis_to_handler(plan));
  }
  Comparison sleeping{"from submit to handler, durability memory, everybody asleep", Tier::kMemory,
                      measure_in_turns(plan, std::move(sleepers))};
  sleeping.aims.push_back(
      aim_latency(sleeping.lines[0], 0.5, 80'000, "p50 at most 80 us, through two sleeps"));
  return {looking, sleeping};
}

}  // namespace pqd::bench
