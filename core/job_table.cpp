#include "core/job_table.h"

namespace pqd {

Slot JobTable::add(const JobCore& core, RecordRef record) {
  Slot slot = static_cast<Slot>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].core = core;
  slots_[slot].record = record;
  const bool new_no = by_no_.emplace(core.no, slot).second;
  const bool new_id = by_id_.emplace(core.id, slot).second;
  if (!new_no || !new_id) std::abort();
  index_.add(*this, slot);
  return slot;
}

void JobTable::remove(Slot slot) {
  index_.remove(*this, slot);
  by_no_.erase(slots_[slot].core.no);
  by_id_.erase(slots_[slot].core.id);
  slots_[slot] = Job{};
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
  auto& extra = slots_[slot].extra;
  if (!extra) extra = std::make_unique<JobExtra>();
  return *extra;
}

}  // namespace pqd
