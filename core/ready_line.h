// Ready jobs in the order of becoming ready: a list, and beside it a small ordered set of those that came
// back (a released job keeps its old place and waits anew). So the first of the list has waited longest of
// those in it. Belongs to one thread.
#pragma once

#include <set>

#include "core/job_table.h"

namespace pqd {

class ReadyLine {
 public:
  // REQUIRES: the job is in no line; unless it is `returned`, its ready_seq is above that of every job here,
  // and its ready_ns not below that of any in the list.
  void push(JobTable& jobs, Slot slot, bool returned);
  void remove(JobTable& jobs, Slot slot);

  bool empty() const { return head_ == kNoSlot && returned_.empty(); }
  // kNoSlot = it is empty.
  Slot front() const;
  // Of the list alone.
  Slot head() const { return head_; }
  // Jobs that became ready before `seq`; counting stops at `most`.
  uint64_t count_before(const JobTable& jobs, uint64_t seq, uint64_t most) const;
  // In no order of both.
  template <class F>
  void for_each(const JobTable& jobs, F&& f) const {
    for (Slot at = head_; at != kNoSlot; at = jobs[at].line_next) f(at);
    for (const auto& [seq, at] : returned_) f(at);
  }

  // Through the jobs here in the order of becoming ready. The line may not change meanwhile.
  class Cursor {
   public:
    Cursor(const JobTable& jobs, const ReadyLine& line)
        : jobs_(&jobs), listed_(line.head_), returned_(line.returned_.begin()), end_(line.returned_.end()) {}
    // kNoSlot = behind the last.
    Slot slot() const { return at_returned() ? returned_->second : listed_; }
    void advance() {
      if (at_returned())
        ++returned_;
      else
        listed_ = (*jobs_)[listed_].line_next;
    }

   private:
    bool at_returned() const {
      if (returned_ == end_) return false;
      return listed_ == kNoSlot || returned_->first < jobs_->ready_seq(listed_);
    }

    const JobTable* jobs_;
    Slot listed_;
    std::set<std::pair<uint64_t, Slot>>::const_iterator returned_;
    std::set<std::pair<uint64_t, Slot>>::const_iterator end_;
  };

  // The first broken invariant by name, nullptr when all hold; every job here is appended to `seen`.
  const char* find_fault(const JobTable& jobs, std::vector<Slot>& seen) const;

 private:
  void push_back(JobTable& jobs, Slot slot);
  Slot head_ = kNoSlot;
  Slot tail_ = kNoSlot;
  uint64_t head_seq_ = 0;
  std::set<std::pair<uint64_t, Slot>> returned_;  // by ready_seq
};

}  // namespace pqd
