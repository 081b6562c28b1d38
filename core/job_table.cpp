#include "core/job_table.h"

namespace pqd {

void JobTable::expect(size_t jobs) {
  by_no_.reserve(by_no_.size() + jobs);
  by_id_.reserve(by_id_.size() + jobs);
}

Slot JobTable::take_slot() {
  if (!free_.empty()) {
    const Slot slot = free_.back();
    free_.pop_back();
    return slot;
  }
  if (slots_ % kChunkJobs == 0) chunks_.emplace_back().reserve(kChunkJobs);
  chunks_.back().emplace_back();
  return slots_++;
}

Slot JobTable::add(const JobCore& core, RecordRef record) {
  const Slot slot = take_slot();
  Job& job = (*this)[slot];
  job.core = core;
  job.record = record;
  const bool new_no = by_no_.emplace(core.no, slot).second;
  const bool new_id = by_id_.emplace(core.id, slot).second;
  if (!new_no || !new_id) std::abort();
  index_.add(*this, slot);
  return slot;
}

void JobTable::remove(Slot slot) {
  index_.remove(*this, slot);
  Job& job = (*this)[slot];
  by_no_.erase(job.core.no);
  by_id_.erase(job.core.id);
  job = Job{};
  free_.push_back(slot);
}

Slot JobTable::find(JobNo no) const {
  const auto found = by_no_.find(no);
  return found == by_no_.end() ? kNoSlot : found->second;
}

Slot JobTable::find(const JobId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? kNoSlot : found->second;
}

JobExtra& JobTable::extra(Slot slot) {
  auto& extra = (*this)[slot].extra;
  if (!extra) extra = std::make_unique<JobExtra>();
  return *extra;
}

}  // namespace pqd
