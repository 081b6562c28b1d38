// The live jobs, and those that finished since the last checkpoint: a slab of fixed slots, found by arrival
// number and by id. Slots are indices, stable while the job is there. Belongs to one thread.
#pragma once

#include <memory>

#include "core/block_pool.h"
#include "core/info.h"
#include "core/job_numbers.h"
#include "core/live_index.h"
#include "core/slab.h"

namespace pqd {

// What few jobs have.
struct JobExtra {
  std::string note;
  std::vector<AttemptInfo> history;
  std::vector<ReviewInfo> reviews;
  RecordRef result;
};

struct Job {
  JobCore core;
  RecordRef record;
  // Links of the one ready line, the one timer and the one holder's list that a job can be in.
  Slot ready_prev = kNoSlot, ready_next = kNoSlot;
  Slot timer_prev = kNoSlot, timer_next = kNoSlot;
  Slot held_prev = kNoSlot, held_next = kNoSlot;
  uint64_t timer_tick = 0;      // milliseconds
  uint16_t timer_bucket = 0;    // 0 = no timer
  uint8_t parked_rank = 0;      // under which a parked submit waits for room
  bool ready_returned = false;  // stands among its line's returned jobs, not in the list
  uint32_t index_chunk = 0;     // where it stands in the live index
  uint32_t ready_group = 0;     // in whose turn it is dispatched, while it is ready in a queue that is fair
  std::unique_ptr<JobExtra> extra;
};
static_assert(sizeof(Job) <= 256, "the aim is 256 bytes a live job beside its payload");

class JobTable {
 public:
  Job& operator[](Slot slot) { return jobs_[slot]; }
  const Job& operator[](Slot slot) const { return jobs_[slot]; }
  size_t size() const { return numbers_.size(); }
  // So many are about to come.
  void expect(size_t jobs) { numbers_.expect(jobs); }

  // REQUIRES: neither the number nor the id is in the table.
  Slot add(const JobCore& core, RecordRef record);
  void remove(Slot slot);
  // kNoSlot = there is none. By id it takes two binary searches through the index.
  Slot find(JobNo no) const { return numbers_.find(no); }
  Slot find(const JobId& id) const { return index_.find(*this, id); }
  JobExtra& extra(Slot slot);
  // The job's state is another one now: lists look for jobs by it.
  void state_changed(Slot slot) { index_.state_changed(*this, slot); }
  LiveIndex& index() { return index_; }
  const LiveIndex& index() const { return index_; }

  // In the order of slots.
  template <class F>
  void for_each(F&& f) const {
    for (Slot slot = 0; slot < jobs_.end(); ++slot)
      if (jobs_[slot].core.no != 0) f(slot);
  }

 private:
  Slab<Job> jobs_;
  JobNumbers numbers_;
  LiveIndex index_;
};

}  // namespace pqd
