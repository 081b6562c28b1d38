#include "core/job_numbers.h"

#include <cstdlib>

namespace pqd {

void JobNumbers::add(JobNo no, Slot slot) {
  const auto [page, fresh] = pages_of_.try_emplace(no / kPageJobs, 0);
  if (fresh) page->second = pages_.take();
  Slot& there = pages_[page->second].slots[no % kPageJobs];
  if (there != kNoSlot) std::abort();
  there = slot;
  ++size_;
}

void JobNumbers::remove(JobNo no) {
  const auto page = pages_of_.find(no / kPageJobs);
  if (page == pages_of_.end()) std::abort();
  auto& slots = pages_[page->second].slots;
  if (slots[no % kPageJobs] == kNoSlot) std::abort();
  slots[no % kPageJobs] = kNoSlot;
  --size_;
  for (const Slot slot : slots)
    if (slot != kNoSlot) return;
  pages_.give_back(page->second);
  pages_of_.erase(page);
}

}  // namespace pqd
