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
    Slot best = kNoSlot;
    for (size_t i = 0; i < warm_.size();) {
      Line& line = lines_[warm_[i]];
      if (line.count == 0 || !wanted(line.type)) {
        line.warm = false;
        warm_[i] = warm_.back();
        warm_.pop_back();
        continue;
      }
      const Slot candidate = front(line);
      if (best == kNoSlot || goes_before(jobs[candidate], jobs[best])) best = candidate;
      ++i;
    }
    return best;
  }

  void warm(TypeNo type);
  void warm_all();

  size_t size() const { return size_; }
  // When the longest waiting ready job became ready; 0 = none is ready.
  TimeNs oldest_ready_ns(const JobTable& jobs) const;
  // Ready jobs that would be dispatched before this one if every type were wanted; counting stops at `most`.
  uint64_t count_before(const JobTable& jobs, Slot slot, uint64_t most) const;

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

  static bool goes_before(const Job& a, const Job& b) {
    if (a.core.rank() != b.core.rank()) return a.core.rank() > b.core.rank();
    return a.core.ready_seq < b.core.ready_seq;
  }
  Line& line_of(TypeNo type);
  static Slot front(const Line& line);
  void added(Line& line, const Job& job);
  void warm_line(uint32_t index);

  std::deque<Line> lines_;
  std::unordered_map<TypeNo, uint32_t> index_;
  std::vector<uint32_t> warm_;
  size_t size_ = 0;
};

}  // namespace pqd
