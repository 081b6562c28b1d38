// The meeting place alone, without a daemon: how many records go from one process to another, and how long it
// takes there and back.
#include <stdexcept>

#include "tests/bench/bare_copy.h"
#include "tests/bench/lane_transport.h"
#include "tests/bench/moment.h"
#include "tests/bench/own.h"
#include "tests/bench/row.h"
#include "tests/bench/turns.h"

namespace pqd::bench {
namespace {

constexpr size_t kBatch = 32;
constexpr size_t kTakenAtOnce = 64;
constexpr const char* kRecords = "records/s";
// About eight microseconds: long enough that some hundred records are there again, short enough that the lane
// has room for forty times as many.
constexpr unsigned kStreamPauses = 512;

// Where each side stays, so that they never share a CPU.
constexpr int kSenderCpu = 0;
constexpr int kReceiverCpu = 1;

template <class T>
void send_records(Side& side, T& transport, size_t batch) {
  transport.open_sender();
  std::array<Record, kBatch> records{};
  uint64_t number = 0;
  side.start();
  while (!side.over()) {
    for (size_t i = 0; i < batch; ++i) records[i].number = number++;
    transport.send(std::span(records).first(batch));
  }
  records[0].number = kLastRecord;
  transport.send(std::span(records).first(1));
  transport.finish();
}

template <class T>
void receive_records(Side& side, T& transport) {
  transport.open_receiver();
  std::array<Record, kTakenAtOnce> records{};
  uint64_t next = 0;
  side.start();
  for (;;) {
    const size_t got = transport.receive(records);
    for (size_t i = 0; i < got; ++i) {
      if (records[i].number == kLastRecord) {
        side.did(next);
        return transport.finish();
      }
      if (records[i].number != next++) side.fail("a record is lost or out of order");
    }
  }
}

template <class Make>
std::string stream_once(const Plan& plan, Line& line, Make make, size_t batch) {
  const auto transport = make();
  Sides sides;
  sides.add(
      "receiver", [&](Side& side) { receive_records(side, *transport); }, kReceiverCpu);
  sides.add(
      "sender", [&](Side& side) { send_records(side, *transport, batch); }, kSenderCpu);
  if (sides.run(plan.seconds)) line.add(kRecords, sides.rate_of("receiver"));
  return sides.fault();
}

template <class Make>
std::string there_and_back_once(const Plan& plan, Line& line, Make make) {
  const auto there = make();
  const auto back = make();
  Sides sides;
  sides.add(
      "echo",
      [&](Side& side) {
        back->open_sender();
        there->open_receiver();
        std::array<Record, 1> record{};
        side.start();
        do {
          there->receive(record);
          back->send(record);
        } while (record[0].number != kLastRecord);
        there->finish();
        back->finish();
      },
      kReceiverCpu);
  sides.add(
      "caller",
      [&](Side& side) {
        there->open_sender();
        back->open_receiver();
        const double scale = ns_per_tick();
        std::array<Record, 1> record{};
        side.start();
        for (bool last = false; !last;) {
          last = side.over();
          record[0].number = last ? kLastRecord : side.done();
          const uint64_t from = now_ticks();
          there->send(record);
          back->receive(record);
          const auto took = static_cast<uint64_t>(static_cast<double>(now_ticks() - from) * scale);
          if (last) break;
          side.latency().add(took);
          side.did(1);
        }
        there->finish();
        back->finish();
      },
      kSenderCpu);
  if (sides.run(plan.seconds)) {
    line.add("round trips/s", sides.rate_of("caller"));
    add_latency(line, sides.latency_of("caller"));
  }
  return sides.fault();
}

// Ours first, then everybody: `once(line, make)`.
template <class Once>
Comparison compare(const Plan& plan, const std::string& title, unsigned pauses, Once once) {
  Line own{"pqd lane",
           std::string("1 MiB in two sealed memory files; the reader copies, checks and frees up to 64 "
                       "records at a time, and ") +
               (pauses == 1 ? "looks again at once" : "looks again after eight microseconds") +
               " when it found none",
           true};
  Line bare{"bare copy", "one memcpy in and one out of 1 MiB of shared memory: no records, nothing checked"};
  bare.limit = true;
  std::vector<Contender> contenders{
      {std::move(own),
       [&](Line& line) { return once(line, [&] { return std::make_unique<LaneTransport>(pauses); }); }},
      {std::move(bare),
       [&](Line& line) { return once(line, [&] { return std::make_unique<BareCopy>(pauses); }); }}};
  if (plan.peers) {
    for (const TransportKind& kind : peer_transports()) {
      contenders.push_back({Line{kind.name, kind.how}, [&once, kind](Line& line) -> std::string {
                              try {
                                return once(line, kind.make);
                              } catch (const std::exception& thrown) {
                                return thrown.what();
                              }
                            }});
    }
  }
  return {title, Tier::kMemory, measure_in_turns(plan, std::move(contenders), Distance::kTold)};
}

void aim_over_peers(const Plan& plan, Comparison& comparison) {
  if (!plan.peers) return;
  comparison.aims.push_back(aim_times(comparison.lines[0], kRecords, comparison.best_peer(kRecords), 10,
                                      "at least 10 times every peer"));
}

}  // namespace

std::vector<Comparison> measure_raw_lane(const Plan& plan) {
  std::vector<Comparison> all;
  for (const size_t batch : {size_t{1}, kBatch}) {
    all.push_back(compare(plan,
                          batch == 1 ? "records of 64 bytes between two processes, one publish a record"
                                     : "records of 64 bytes between two processes, 32 a publish",
                          kStreamPauses,
                          [&](Line& line, auto make) { return stream_once(plan, line, make, batch); }));
    all.back().aims.push_back(aim_at_least(all.back().lines[0], kRecords, batch == 1 ? 20e6 : 50e6));
    aim_over_peers(plan, all.back());
  }
  all.push_back(compare(plan,
                        "one record of 64 bytes there and back; ours and iceoryx spin, the others sleep", 1,
                        [&](Line& line, auto make) { return there_and_back_once(plan, line, make); }));
  all.back().aims.push_back(aim_latency(all.back().lines[0], 0.5, 600, "pqd lane: p50 at most 600 ns"));
  return all;
}

}  // namespace pqd::bench
