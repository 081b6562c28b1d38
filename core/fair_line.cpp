#include "core/fair_line.h"

#include <algorithm>

namespace pqd {

void FairLine::place_front(const JobTable& jobs, Row& row) {
  const Slot front = row.line.front();
  if (front == row.front) return;
  if (row.front != kNoSlot) turns_.erase({row.time, row.front_seq, row.front});
  row.front = front;
  if (front == kNoSlot) return;
  row.front_seq = jobs.ready_seq(front);
  turns_.emplace(row.time, row.front_seq, front);
}

void FairLine::place_head(const JobTable& jobs, Row& row) {
  const Slot head = row.line.head();
  if (head == row.head) return;
  if (row.head != kNoSlot) listed_.erase({row.head_seq, row.head});
  row.head = head;
  if (head == kNoSlot) return;
  row.head_seq = jobs.ready_seq(head);
  listed_.emplace(row.head_seq, head);
}

void FairLine::place(const JobTable& jobs, Row& row) {
  place_front(jobs, row);
  place_head(jobs, row);
}

Slot FairLine::oldest() const {
  if (returned_.empty()) return oldest_listed();
  return listed_.empty() ? returned_.begin()->second : std::min(*listed_.begin(), *returned_.begin()).second;
}

bool FairLine::push(JobTable& jobs, Slot slot, bool returned, GroupNo group, uint64_t time) {
  const auto [found, fresh] = rows_.try_emplace(group);
  Row& row = found->second;
  if (fresh) row.time = time;
  row.line.push(jobs, slot, returned);
  if (returned) returned_.emplace(jobs.ready_seq(slot), slot);
  ++size_;
  place(jobs, row);
  return fresh;
}

bool FairLine::remove(JobTable& jobs, Slot slot, GroupNo group) {
  const auto found = rows_.find(group);
  Row& row = found->second;
  if (jobs[slot].ready_returned) returned_.erase({jobs.ready_seq(slot), slot});
  row.line.remove(jobs, slot);
  --size_;
  place(jobs, row);
  if (!row.line.empty()) return false;
  rows_.erase(found);
  return true;
}

void FairLine::move(GroupNo group, uint64_t time) {
  Row& row = rows_.at(group);
  turns_.erase({row.time, row.front_seq, row.front});
  row.time = time;
  turns_.emplace(row.time, row.front_seq, row.front);
}

}  // namespace pqd
