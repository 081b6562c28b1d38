#include "tests/bench/own_loads.h"

#include <unistd.h>

#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

constexpr uint32_t kCredits = 2'048;
// So many jobs may be on their way: a queue whose consumers keep up.
constexpr uint64_t kWindow = 20'000;
constexpr unsigned kBetweenLooks = 64;

void submit_all_the_time(Side& side, const std::string& socket, bool with_keys) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  const Bytes payload = random_payload(kLoadPayloadBytes, 1);
  SubmitRequest request{.type = "bench", .payload = payload};
  std::string key;
  const std::string prefix = std::to_string(::getpid()) + ":";
  side.start();
  while (!side.over()) {
    for (unsigned i = 0; i < kBetweenLooks; ++i) {
      if (with_keys) request.idempotency_key = key = prefix + std::to_string(side.done() + i);
      submit_or_fail(side, client, request);
    }
    side.did(kBetweenLooks);
  }
  flush_or_fail(side, client);
}

void submit_within_window(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  const Bytes payload = random_payload(kLoadPayloadBytes, 1);
  side.start();
  while (!side.over()) {
    for (unsigned i = 0; i < kBetweenLooks; ++i)
      submit_or_fail(side, client, {.type = "bench", .payload = payload});
    side.did(kBetweenLooks);
    while (side.done() > side.done_by("consumer") + kWindow && !side.over()) ::usleep(100);
  }
  flush_or_fail(side, client);
}

void complete_all_the_time(Side& side, const std::string& socket) {
  Client client = connect_or_fail(side, socket, Durability::kFsync);
  subscribe_or_fail(side, client, "default", kCredits);
  side.start();
  while (!side.over()) {
    const auto job = next_or_fail(side, client, Milliseconds(20));
    if (!job) continue;
    complete_or_fail(side, client, *job);
    side.did(1);
  }
  flush_or_fail(side, client);
}

}  // namespace

void add_producer(Sides& sides, const std::string& socket, bool with_keys) {
  sides.add("producer", [socket, with_keys](Side& side) { submit_all_the_time(side, socket, with_keys); });
}

void add_whole_lives(Sides& sides, const std::string& socket) {
  sides.add("consumer", [socket](Side& side) { complete_all_the_time(side, socket); });
  sides.add("producer", [socket](Side& side) { submit_within_window(side, socket); });
}

Contender producers_of(const Plan& plan, Line line, unsigned producers, bool with_keys) {
  const auto once = [=](Line& measured) {
    OwnDaemon daemon;
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    Sides sides;
    for (unsigned i = 0; i < producers; ++i) add_producer(sides, daemon.socket(), with_keys);
    if (sides.run(plan.seconds)) measured.add(kJobsASecond, sides.rate_of("producer"));
    return sides.fault();
  };
  return {std::move(line), once};
}

}  // namespace pqd::bench
