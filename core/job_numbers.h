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
  void expect(size_t jobs) { places_.reserve(places_.size() + jobs / kPageJobs + 1); }

  // REQUIRES: the number is not in here.
  void add(JobNo no, Slot slot);
  // REQUIRES: it is.
  void remove(JobNo no);
  // kNoSlot = it is not.
  Slot find(JobNo no) const {
    if (no / kPageJobs != latest_) {
      const auto place = places_.find(no / kPageJobs);
      if (place == places_.end()) return kNoSlot;
      latest_ = no / kPageJobs;
      latest_page_ = place->second.page;
    }
    return pages_[latest_page_].slots[no % kPageJobs];
  }

  size_t size() const { return size_; }
  // For tests.
  size_t page_count() const { return places_.size(); }

 private:
  static constexpr uint32_t kPageJobs = 16;

  struct Page {
    std::array<Slot, kPageJobs> slots;
    Page() { slots.fill(kNoSlot); }
  };
  static_assert(sizeof(Page) == 64);
  struct Place {
    uint32_t page = 0;
    uint32_t jobs = 0;
  };

  boost::unordered_flat_map<uint64_t, Place> places_;  // by number / kPageJobs
  Slab<Page> pages_;
  // The page that was looked into last: what happens to a job happens step by step, and its neighbours
  // follow.
  mutable uint64_t latest_ = UINT64_MAX;
  mutable uint32_t latest_page_ = 0;
  size_t size_ = 0;
};

}  // namespace pqd
