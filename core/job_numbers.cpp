#include "core/job_numbers.h"

#include <cstdlib>

namespace pqd {

void JobNumbers::add(JobNo no, Slot slot) {
  const auto [place, fresh] = places_.try_emplace(no / kPageJobs);
  if (fresh) place->second.page = pages_.take();
  Slot& there = pages_[place->second.page].slots[no % kPageJobs];
  if (there != kNoSlot) std::abort();
  there = slot;
  ++place->second.jobs;
  ++size_;
}

void JobNumbers::remove(JobNo no) {
  const auto place = places_.find(no / kPageJobs);
  if (place == places_.end()) std::abort();
  Slot& there = pages_[place->second.page].slots[no % kPageJobs];
  if (there == kNoSlot) std::abort();
  there = kNoSlot;
  --size_;
  if (--place->second.jobs > 0) return;
  if (latest_ == no / kPageJobs) latest_ = UINT64_MAX;
  pages_.give_back(place->second.page);
  places_.erase(place);
}

}  // namespace pqd
