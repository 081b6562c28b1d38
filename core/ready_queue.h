// The ready jobs of one queue: a line per type and rank, each in the order of becoming ready, or, in a queue
// that is fair, one per group as well, see fair_groups.h. Belongs to one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <set>
#include <unordered_map>

#include "core/fair_line.h"
#include "core/group_turns.h"
#include "core/job_table.h"
#include "core/limits.h"
#include "core/queue_settings.h"

namespace pqd {

class ReadyQueue {
 public:
  Fairness fairness() const { return fairness_; }
  // From now on the jobs take turns like this, and all begin anew. `group_name`, of a slot: what the group of
  // this job is called then. Costs a walk over all jobs.
  template <class GroupName>
  void group_by(JobTable& jobs, Fairness fairness, const FairWeights& weights, GroupName&& group_name) {
    const InOrder all = take_all(jobs);
    fairness_ = fairness;
    if (fairness != Fairness::kOff) groups_ = std::make_unique<FairGroups>(weights);
    for_each_again(jobs, all, [&](Slot slot, bool returned) {
      push(jobs, slot, returned, fairness == Fairness::kOff ? std::string() : group_name(slot));
    });
  }

  // Ready jobs of any queues by ready_seq.
  using InOrder = std::vector<std::pair<uint64_t, Slot>>;
  // For those that are to be pushed anew: f(slot, returned) for each, in this order. Returned is who waits
  // for a shorter time than one behind it.
  template <class F>
  static void for_each_again(const JobTable& jobs, const InOrder& all, F&& f) {
    std::vector<bool> returned(all.size());
    TimeNs since = INT64_MAX;  // the earliest of those behind
    for (size_t i = all.size(); i-- > 0;) {
      const TimeNs own = jobs.times(all[i].second).ready_ns;
      returned[i] = own > since;
      since = std::min(since, own);
    }
    for (size_t i = 0; i < all.size(); ++i) f(all[i].second, returned[i]);
  }

  // REQUIRES: as ReadyLine::push, of the jobs of its line. `group`: the name, which is not looked at where
  // there is no fairness. The jobs of a batch stand with the first of them.
  void push(JobTable& jobs, Slot slot, bool returned, const std::string& group);
  void remove(JobTable& jobs, Slot slot);
  // The job's group has its turn with it. REQUIRES: it is in a line.
  void pass_turn(const JobTable& jobs, Slot slot);

  // The most urgent ready job among the types for which wanted(type) holds: highest rank, then whose turn it
  // is, then first ready. A type found unwanted is not looked at again until warm(type) or warm_all().
  template <class Wanted>
  Slot best(const JobTable& jobs, Wanted&& wanted) {
    return first_of(
        wanted, [](const Line& line) { return front(line); },
        [this, &jobs](Slot a, Slot b) { return goes_before(jobs, a, b); });
  }
  // The job among the same that has been ready longest, whatever its rank.
  template <class Wanted>
  Slot longest_waiting(const JobTable& jobs, Wanted&& wanted) {
    return first_of(
        wanted, [&jobs](const Line& line) { return oldest(jobs, line); },
        [&jobs](Slot a, Slot b) { return was_ready_before(jobs, a, b); });
  }

  void warm(TypeNo type);
  void warm_all();

  size_t size() const { return size_; }
  // Lines kept: those with jobs, and not many more that had some.
  size_t kept_lines() const { return index_.size(); }
  // When the longest waiting ready job became ready; 0 = none is ready. Costs a look at each type and rank.
  TimeNs oldest_ready_ns(const JobTable& jobs) const;
  // Ready jobs that would be dispatched before this one if every type were wanted and no other came; counting
  // stops at `most`. Knows nothing of the starvation guard.
  uint64_t count_before(const JobTable& jobs, Slot slot, uint64_t most) const;

  // For State::check_invariants: the first broken invariant of the lines by name, nullptr when they hold. All
  // jobs that stand in a line are appended to `seen`.
  const char* find_fault(const JobTable& jobs, std::vector<Slot>& seen) const;

 private:
  // One of the two is used.
  struct RankLine {
    ReadyLine line;
    std::unique_ptr<FairLine> fair;
    bool empty() const { return fair ? fair->empty() : line.empty(); }
    Slot front() const { return fair ? fair->front() : line.front(); }
    Slot oldest() const { return fair ? fair->oldest() : line.front(); }
    Slot oldest_listed() const { return fair ? fair->oldest_listed() : line.head(); }
  };
  struct Line {
    TypeNo type = 0;
    bool warm = false;
    uint32_t ranks = 0;  // bit per rank that has a job
    size_t count = 0;
    std::array<RankLine, limits::kRankCount> by_rank;
  };

  static bool was_ready_before(const JobTable& jobs, Slot a, Slot b) {
    return jobs.ready_seq(a) < jobs.ready_seq(b);
  }
  bool goes_before(const JobTable& jobs, Slot one, Slot other) const {
    const uint8_t rank = jobs.terms(one).rank();
    const uint8_t other_rank = jobs.terms(other).rank();
    if (rank != other_rank) return rank > other_rank;
    if (fairness_ != Fairness::kOff) {
      const uint64_t turn = turn_of(jobs[one]);
      const uint64_t other_turn = turn_of(jobs[other]);
      if (turn != other_turn) return turn < other_turn;
    }
    return was_ready_before(jobs, one, other);
  }
  uint64_t turn_of(const Job& job) const { return (*groups_)[job.ready_group].time; }
  template <class Wanted, class FrontOf, class Before>
  Slot first_of(Wanted& wanted, FrontOf front_of, Before before) {
    Slot best = kNoSlot;
    for (size_t i = 0; i < warm_.size();) {
      Line& line = lines_[warm_[i]];
      if (line.count == 0 || !wanted(line.type)) {
        line.warm = false;
        warm_[i] = warm_.back();
        warm_.pop_back();
        continue;
      }
      const Slot candidate = front_of(line);
      if (best == kNoSlot || before(candidate, best)) best = candidate;
      ++i;
    }
    return best;
  }
  // So many are kept, whether they have jobs or not.
  static constexpr size_t kKeptLines = 64;

  uint32_t line_of(TypeNo type);
  // Of the types that have no ready job any more.
  void forget_idle_lines();
  static Slot front(const Line& line);
  static Slot oldest(const JobTable& jobs, const Line& line);
  void warm_line(uint32_t index);
  InOrder take_all(JobTable& jobs);
  GroupNo enter_group(uint64_t batch, uint8_t rank, const std::string& name);
  uint64_t count_turns_before(const JobTable& jobs, Slot slot, uint64_t most) const;
  GroupTurns turns_of(const JobTable& jobs, GroupNo number) const;
  const char* find_fault(const JobTable& jobs, const Line& line, size_t rank, std::vector<Slot>& seen) const;
  const char* find_group_fault(const JobTable& jobs, const std::vector<Slot>& seen) const;

  Fairness fairness_ = Fairness::kOff;
  std::unique_ptr<FairGroups> groups_;  // with fairness only
  uint64_t last_batch_ = 0;             // that entered a group, which one
  GroupNo last_batch_group_ = kNoGroup;
  std::deque<Line> lines_;
  std::vector<uint32_t> free_;  // numbers of lines that belong to no type
  size_t idle_ = 0;             // lines of a type that have no job
  std::unordered_map<TypeNo, uint32_t> index_;
  std::vector<uint32_t> warm_;
  size_t size_ = 0;
  std::set<std::pair<TimeNs, Slot>> returned_;  // of all lines, by ready_ns
};

}  // namespace pqd
