#include "core/fair_line.h"

namespace pqd {

void FairLine::unplace(Row& row) {
  if (row.front == kNoSlot) return;
  turns_.erase({row.time, row.front_seq, row.front});
  ages_.erase({row.front_seq, row.front});
  row.front = kNoSlot;
}

void FairLine::place(const JobTable& jobs, Row& row) {
  const Slot front = row.line.front();
  if (front == row.front) return;
  unplace(row);
  if (front == kNoSlot) return;
  row.front = front;
  row.front_seq = jobs.ready_seq(front);
  turns_.emplace(row.time, row.front_seq, front);
  ages_.emplace(row.front_seq, front);
}

bool FairLine::push(JobTable& jobs, Slot slot, bool returned, GroupNo group, uint64_t time) {
  const auto [found, fresh] = rows_.try_emplace(group);
  Row& row = found->second;
  if (fresh) row.time = time;
  row.line.push(jobs, slot, returned);
  ++size_;
  place(jobs, row);
  return fresh;
}

bool FairLine::remove(JobTable& jobs, Slot slot, GroupNo group) {
  const auto found = rows_.find(group);
  Row& row = found->second;
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
