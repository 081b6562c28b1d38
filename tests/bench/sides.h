// The processes of one measurement: each does its preparing, waits until all are ready, works until told that
// time is over, and leaves counts and latencies in memory that it shares with us.
//
//   Sides sides;
//   sides.add("producer", [&](Side& side) {
//     ...connect...                       // whatever must not be measured
//     side.start();                       // returns in all sides at once
//     while (!side.over()) { ...; side.did(1); }
//   });
//   sides.run(plan.seconds);              // false: a side failed or hung, see fault()
//
// Owner: one thread of a process without other threads, because sides are forked.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/latency.h"
#include "tests/support/forked.h"

namespace pqd::bench {

struct SideReport {
  std::atomic<uint64_t> count{0};  // of what this side did while time ran
  int64_t began_ns = 0;            // when start() returned
  int64_t ended_ns = 0;            // when its work returned
  Latency latency;
  uint64_t extra = 0;  // what a row wants to know besides
  char fault[240] = {};
};

struct SidesBoard;

class Side {
 public:
  // Returns when every side has called it.
  void start();
  bool over() const;
  void did(uint64_t more) {
    // relaxed: read while we run only to see whether anything moves, and counted when we have ended.
    report_->count.store(report_->count.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  uint64_t done() const { return report_->count.load(std::memory_order_relaxed); }
  // What all sides of the name have done so far; for a side that waits for others.
  uint64_t done_by(std::string_view name) const;
  // Whom a side works against has nothing more to do: as if time was over.
  void end_all();
  Latency& latency() { return report_->latency; }
  SideReport& report() { return *report_; }
  // The measurement is void. Does not return.
  [[noreturn]] void fail(const std::string& why);

 private:
  friend class Sides;
  Side(SidesBoard& board, SideReport& report) : board_(&board), report_(&report) {}

  SidesBoard* board_;
  SideReport* report_;
};

class Sides {
 public:
  static constexpr size_t kSidesMax = 600;

  Sides();
  ~Sides();
  Sides(const Sides&) = delete;
  Sides& operator=(const Sides&) = delete;

  // Forks it. `name` has static storage. `cpu`: where it stays; -1 = anywhere.
  void add(const char* name, std::function<void(Side&)> work, int cpu = -1);
  // Starts all, lets `seconds` pass, tells all that time is over, and waits for them.
  bool run(double seconds);

  const std::string& fault() const { return fault_; }
  // Since the start, until the last side of the name has ended.
  double seconds_of(std::string_view name) const;
  uint64_t count_of(std::string_view name) const;
  uint64_t extra_of(std::string_view name) const;
  // What they did a second.
  double rate_of(std::string_view name) const;
  Latency latency_of(std::string_view name) const;

 private:
  template <class F>
  void each(std::string_view name, F&& f) const;
  bool wait_until_ready();
  bool reap();

  SidesBoard* board_;
  std::vector<std::unique_ptr<test::Forked>> processes_;
  std::string fault_;
};

}  // namespace pqd::bench
