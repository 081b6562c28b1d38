// The ready jobs of one queue: a line per type and rank, each in the order of becoming ready. Jobs that come
// back (a released one keeps its old place) stand in a small ordered set beside their line. Belongs to one
// thread.
#pragma once

#include <array>
#include <set>
#include <unordered_map>

#include "core/job_table.h"
#include "core/limits.h"

namespace pqd {

class ReadyQueue {
 public:
  // REQUIRES for both: the job is in no line; push_back: its ready_seq is above that of every job in its
  // line.
  void push_back(JobTable& jobs, Slot slot);
  void push_returned(JobTable& jobs, Slot slot);
  void remove(JobTable& jobs, Slot slot);

  // The most urgent ready job among the types for which wanted(type) holds: highest rank, then first ready. A
  // type found unwanted is not looked at again until warm(type) or warm_all().
  template <class Wanted>
  Slot best(const JobTable& jobs, Wanted&& wanted) {
    return first_of(
        jobs, wanted, [](const Line& line) { return front(line); }, goes_before);
  }
  // The job among the same that has been ready longest, whatever its rank.
  template <class Wanted>
  Slot longest_waiting(const JobTable& jobs, Wanted&& wanted) {
    return first_of(
        jobs, wanted, [&jobs](const Line& line) { return oldest(jobs, line); }, was_ready_before);
  }

  void warm(TypeNo type);
  void warm_all();

  size_t size() const { return size_; }
  // When the longest waiting ready job became ready; 0 = none is ready.
  TimeNs oldest_ready_ns(const JobTable& jobs) const;
  // Ready jobs that would be dispatched before this one if every type were wanted; counting stops at `most`.
  uint64_t count_before(const JobTable& jobs, Slot slot, uint64_t most) const;

  // For State::check_invariants: the first broken invariant of the lines by name, nullptr when they hold. All
  // jobs that stand in a line are appended to `seen`.
  const char* find_fault(const JobTable& jobs, std::vector<Slot>& seen) const;

 private:
  struct RankLine {
    Slot head = kNoSlot;
    Slot tail = kNoSlot;
    std::set<std::pair<uint64_t, Slot>> returned;  // by ready_seq
    uint64_t head_seq = 0;
    bool empty() const { return head == kNoSlot && returned.empty(); }
    Slot front() const;
  };
  struct Line {
    TypeNo type = 0;
    bool warm = false;
    uint32_t ranks = 0;  // bit per rank that has a job
    size_t count = 0;
    std::array<RankLine, limits::kRankCount> by_rank;
  };

  static bool was_ready_before(const Job& a, const Job& b) { return a.core.ready_seq < b.core.ready_seq; }
  static bool goes_before(const Job& a, const Job& b) {
    if (a.core.rank() != b.core.rank()) return a.core.rank() > b.core.rank();
    return was_ready_before(a, b);
  }
  template <class Wanted, class FrontOf, class Before>
  Slot first_of(const JobTable& jobs, Wanted& wanted, FrontOf front_of, Before before) {
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
      if (best == kNoSlot || before(jobs[candidate], jobs[best])) best = candidate;
      ++i;
    }
    return best;
  }
  Line& line_of(TypeNo type);
  static Slot front(const Line& line);
  static Slot oldest(const JobTable& jobs, const Line& line);
  const char* find_fault(const JobTable& jobs, const Line& line, size_t rank, std::vector<Slot>& seen) const;
  void added(Line& line, const Job& job);
  void warm_line(uint32_t index);

  std::deque<Line> lines_;
  std::unordered_map<TypeNo, uint32_t> index_;
  std::vector<uint32_t> warm_;
  size_t size_ = 0;
};

}  // namespace pqd
