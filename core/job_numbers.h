// Which slot a job stands in, by its number. Jobs come in the order of their numbers and mostly go in it, so
// sixteen neighbours share a page of one cache line, and only pages are looked up: about six bytes a job,
// ninety when one of its neighbourhood is left alone. Belongs to one thread.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>

#include "core/job.h"
#include "core/live_index.h"
#include "core/slab.h"

namespace pqd {

class JobNumbers {
 public:
  // So many are about to come.
  void expect(size_t jobs) { pages_of_.reserve(pages_of_.size() + jobs / kPageJobs + 1); }

  // REQUIRES: the number is not in here.
  void add(JobNo no, Slot slot);
  // REQUIRES: it is.
  void remove(JobNo no);
  // kNoSlot = it is not.
  Slot find(JobNo no) const {
    const auto page = pages_of_.find(no / kPageJobs);
    return page == pages_of_.end() ? kNoSlot : pages_[page->second].slots[no % kPageJobs];
  }

  size_t size() const { return size_; }
  // For tests.
  size_t page_count() const { return pages_of_.size(); }

 private:
  static constexpr uint32_t kPageJobs = 16;

  struct Page {
    std::array<Slot, kPageJobs> slots;
    Page() { slots.fill(kNoSlot); }
  };
  static_assert(sizeof(Page) == 64);

  boost::unordered_flat_map<uint64_t, uint32_t> pages_of_;
  Slab<Page> pages_;
  size_t size_ = 0;
};

}  // namespace pqd
