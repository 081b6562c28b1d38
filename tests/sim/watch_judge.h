// One watch as its subscriber sees it: of all changes since it began, those that it wants and may see, each
// once and in order, or counted in a gap. Belongs to one engine.
#pragma once

#include <deque>

#include "core/change.h"
#include "core/job_filter.h"
#include "core/state.h"
#include "core/watch_record.h"
#include "tests/sim/fault.h"

namespace pqd::sim {

struct Watcher {
  SessionNo session = 0;
  uint32_t uid = 0;
  bool sees_all = false;
};

class WatchJudge {
 public:
  // `before`: the changes that there were, `done`: what had been committed as durably as it asked for.
  // `line`: how many may wait for the subscriber.
  WatchJudge(const WatchView& view, const Watcher& watcher, const std::deque<Change>& before, uint64_t done,
             size_t line, const State& state);

  // In the order in which they happened.
  void happened(const Change& change, const State& state);
  // Gives back the commit that it may not be told before; 0 = none.
  uint64_t told(const JobEvent& event, const State& state);
  void ended() const;
  // Everything was told: nothing may be left.
  void demand_all_told() const;

 private:
  bool wants(const Change& change, const State& state) const;

  WatchHead head_;
  std::string queue_, type_;
  Watcher watcher_;
  size_t line_;
  bool first_word_ = true;
  std::deque<Change> expected_;  // not told yet
  uint64_t number_ = 0;          // of changes told or left out
};

}  // namespace pqd::sim
