// The live jobs, and those that finished since the last checkpoint: each in a slot, found by its number and
// by its id. Slots are indices, stable while the job is there.
//
// Memory has a job's facts (JobCore) in four parts, because most live jobs only wait: what differs between
// waiting jobs stands in the slot, what they share in JobTerms and JobTimes, and what consumers have done
// with it in a JobCourse, which a job has from its first assignment on. Belongs to one thread.
#pragma once

#include <memory>

#include "core/block_pool.h"
#include "core/info.h"
#include "core/job_numbers.h"
#include "core/job_terms.h"
#include "core/job_times.h"
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

// Fields of JobCore as they are before anybody had the job in hand, and without a wait for room.
struct JobCourse {
  SessionNo holder = 0;
  uint64_t lease = 0;
  uint64_t delivery_no = 0;
  TimeNs assigned_ns = 0;
  TimeNs lease_until_ns = 0;
  TimeNs finished_ns = 0;
  uint32_t lease_epoch = 0;
  uint32_t subscription = 0;
  uint16_t attempts = 0;
  uint16_t failures = 0;
  uint16_t deaths = 0;
  Reason reason = Reason::kNone;
  uint8_t progress = 0;
  bool cancel_requested = false;
  uint8_t parked_rank = 0;  // under which a parked submit waits for room; no fact, and not in JobCore
  std::unique_ptr<JobExtra> extra;

  // `job` has nothing of it.
  static bool is_plain(const JobCore& job);
  void take_from(const JobCore& job);
  void put_into(JobCore& job) const;
};

// Of a job that only waits.
inline constinit const JobCourse kPlainCourse{};

using CourseNo = uint32_t;
inline constexpr CourseNo kNoCourse = 0xFFFFFFFF;

struct Job {
  // Facts, as in JobCore.
  JobId id;
  JobNo no = 0;
  // Whatever is nanoseconds in 64 bits is less.
  static constexpr uint64_t kTimerTickMax = (uint64_t{1} << 48) - 1;
  static_assert(kTimerTickMax > INT64_MAX / kMillisecondNs);
  uint64_t timer_tick : 48 = 0;    // milliseconds
  uint64_t timer_bucket : 16 = 0;  // 0 = no timer
  RecordRef record;
  uint32_t payload_bytes = 0;
  TermsNo terms = kNoTerms;
  TimesNo times = kNoTimes;
  CourseNo course = kNoCourse;
  // Links of its ready line or its holder's list, one of which it is in, and of its timer's bucket.
  Slot line_prev = kNoSlot, line_next = kNoSlot;
  Slot timer_prev = kNoSlot, timer_next = kNoSlot;
  uint32_t index_chunk = 0;  // where it stands in the live index
  uint32_t ready_group = 0;  // in whose turn it is dispatched, while it is ready in a queue that is fair
  uint16_t batch_place = 0;
  JobState state = JobState::kPending;
  Pending pending : 4 = Pending::kReady;
  bool redriven : 1 = false;
  bool reviewed : 1 = false;
  bool purged : 1 = false;
  bool ready_returned : 1 = false;  // stands among its line's returned jobs, not in the list
};
static_assert(sizeof(Job) == 88, "the aim is 256 bytes a live job beside its payload");

class JobTable {
 public:
  Job& operator[](Slot slot) { return jobs_[slot]; }
  const Job& operator[](Slot slot) const { return jobs_[slot]; }
  size_t size() const { return numbers_.size(); }
  // So many are about to come.
  void expect(size_t jobs) { numbers_.expect(jobs); }

  // Whether neither the number nor the id is in the table.
  bool may_add(JobNo no, const JobId& id) const { return find(no) == kNoSlot && !index_.has(*this, id); }
  // REQUIRES: may_add().
  Slot add(const JobCore& core, RecordRef record);
  void remove(Slot slot);
  // kNoSlot = there is none. By id it takes two binary searches through the index.
  Slot find(JobNo no) const { return numbers_.find(no); }
  Slot find(const JobId& id) const { return index_.find(*this, id); }

  // All facts of the job, put together.
  JobCore core(Slot slot) const;
  // They are these now. REQUIRES: id, number and terms are what they were.
  void set(Slot slot, const JobCore& core);
  const JobTerms& terms(Slot slot) const { return terms_[jobs_[slot].terms]; }
  const JobTimes& times(Slot slot) const { return times_[jobs_[slot].times]; }
  // As in JobCore.
  uint64_t ready_seq(Slot slot) const { return times(slot).ready_seq(jobs_[slot].no); }
  uint64_t batch(Slot slot) const {
    const uint16_t place = jobs_[slot].batch_place;
    return place == 0 ? 0 : ready_seq(slot) - (place - 1u);
  }
  // As it is before its first event, for a job that has none.
  const JobCourse& course(Slot slot) const {
    const CourseNo at = jobs_[slot].course;
    return at == kNoCourse ? kPlainCourse : courses_[at];
  }
  LeaseToken token(Slot slot) const {
    const JobCourse& at = course(slot);
    return {jobs_[slot].no, at.lease, at.lease_epoch, 0};
  }
  // nullptr: it has none.
  const JobExtra* extra_of(Slot slot) const { return course(slot).extra.get(); }
  JobExtra& extra(Slot slot);
  void set_parked_rank(Slot slot, uint8_t rank) { own_course(jobs_[slot]).parked_rank = rank; }

  // The job's state is another one now: lists look for jobs by it.
  void state_changed(Slot slot) { index_.state_changed(*this, slot); }
  LiveIndex& index() { return index_; }
  const LiveIndex& index() const { return index_; }

  // In the order of slots.
  template <class F>
  void for_each(F&& f) const {
    for (Slot slot = 0; slot < jobs_.end(); ++slot)
      if (jobs_[slot].no != 0) f(slot);
  }

 private:
  JobCourse& own_course(Job& job);
  // What may change and is the job's own, or its course.
  void put(Job& job, const JobCore& core);

  Slab<Job> jobs_;
  TermsTable terms_;
  TimesTable times_;
  Slab<JobCourse> courses_;
  JobNumbers numbers_;
  LiveIndex index_;
};

}  // namespace pqd
