#include "core/ready_line.h"

#include <algorithm>

namespace pqd {

Slot ReadyLine::front() const {
  if (returned_.empty()) return head_;
  if (head_ == kNoSlot || returned_.begin()->first < head_seq_) return returned_.begin()->second;
  return head_;
}

void ReadyLine::push(JobTable& jobs, Slot slot, bool returned) {
  if (!returned) return push_back(jobs, slot);
  returned_.emplace(jobs.ready_seq(slot), slot);
  jobs[slot].ready_returned = true;
}

void ReadyLine::push_back(JobTable& jobs, Slot slot) {
  Job& job = jobs[slot];
  job.line_prev = tail_;
  job.line_next = kNoSlot;
  if (tail_ != kNoSlot) {
    jobs[tail_].line_next = slot;
  } else {
    head_ = slot;
    head_seq_ = jobs.ready_seq(slot);
  }
  tail_ = slot;
}

void ReadyLine::remove(JobTable& jobs, Slot slot) {
  Job& job = jobs[slot];
  if (job.ready_returned) {
    returned_.erase({jobs.ready_seq(slot), slot});
    job.ready_returned = false;
    return;
  }
  (job.line_prev != kNoSlot ? jobs[job.line_prev].line_next : head_) = job.line_next;
  (job.line_next != kNoSlot ? jobs[job.line_next].line_prev : tail_) = job.line_prev;
  if (job.line_prev == kNoSlot && head_ != kNoSlot) head_seq_ = jobs.ready_seq(head_);
  job.line_prev = job.line_next = kNoSlot;
}

uint64_t ReadyLine::count_before(const JobTable& jobs, uint64_t seq, uint64_t most) const {
  uint64_t count = 0;
  for (Slot at = head_; at != kNoSlot && count < most; at = jobs[at].line_next) {
    if (jobs.ready_seq(at) >= seq) break;
    ++count;
  }
  for (const auto& [returned_seq, at] : returned_) {
    if (count >= most || returned_seq >= seq) break;
    ++count;
  }
  return count;
}

}  // namespace pqd
