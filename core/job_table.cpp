#include "core/job_table.h"

namespace pqd {

Slot JobTable::add(const JobCore& core, RecordRef record) {
  const Slot slot = jobs_.take();
  Job& job = jobs_[slot];
  job.core = core;
  job.record = record;
  numbers_.add(core.no, slot);
  index_.add(*this, slot);
  return slot;
}

void JobTable::remove(Slot slot) {
  index_.remove(*this, slot);
  numbers_.remove(jobs_[slot].core.no);
  jobs_.give_back(slot);
}

JobExtra& JobTable::extra(Slot slot) {
  auto& extra = jobs_[slot].extra;
  if (!extra) extra = std::make_unique<JobExtra>();
  return *extra;
}

}  // namespace pqd
