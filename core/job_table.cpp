#include "core/job_table.h"

#include <cassert>

namespace pqd {

bool JobCourse::is_plain(const JobCore& job) {
  const uint64_t any = job.holder | job.lease | job.delivery_no | static_cast<uint64_t>(job.assigned_ns) |
                       static_cast<uint64_t>(job.lease_until_ns) | static_cast<uint64_t>(job.finished_ns) |
                       job.lease_epoch | job.subscription | job.attempts | job.failures | job.deaths |
                       static_cast<uint8_t>(job.reason) | job.progress;
  return any == 0 && !job.cancel_requested;
}

void JobCourse::take_from(const JobCore& job) {
  holder = job.holder;
  lease = job.lease;
  delivery_no = job.delivery_no;
  assigned_ns = job.assigned_ns;
  lease_until_ns = job.lease_until_ns;
  finished_ns = job.finished_ns;
  lease_epoch = job.lease_epoch;
  subscription = job.subscription;
  attempts = job.attempts;
  failures = job.failures;
  deaths = job.deaths;
  reason = job.reason;
  progress = job.progress;
  cancel_requested = job.cancel_requested;
}

void JobCourse::put_into(JobCore& job) const {
  job.holder = holder;
  job.lease = lease;
  job.delivery_no = delivery_no;
  job.assigned_ns = assigned_ns;
  job.lease_until_ns = lease_until_ns;
  job.finished_ns = finished_ns;
  job.lease_epoch = lease_epoch;
  job.subscription = subscription;
  job.attempts = attempts;
  job.failures = failures;
  job.deaths = deaths;
  job.reason = reason;
  job.progress = progress;
  job.cancel_requested = cancel_requested;
}

Slot JobTable::add(const JobCore& core, RecordRef record) {
  const Slot slot = jobs_.take();
  Job& job = jobs_[slot];
  job.id = core.id;
  job.no = core.no;
  job.payload_bytes = core.payload_bytes;
  job.record = record;
  job.terms = terms_.add(JobTerms::of(core));
  job.times = times_.add(JobTimes::of(core));
  put(job, core);
  numbers_.add(core.no, slot);
  index_.add(*this, slot);
  return slot;
}

void JobTable::remove(Slot slot) {
  index_.remove(*this, slot);
  const Job& job = jobs_[slot];
  numbers_.remove(job.no);
  terms_.remove(job.terms);
  times_.remove(job.times);
  if (job.course != kNoCourse) courses_.give_back(job.course);
  jobs_.give_back(slot);
}

JobCore JobTable::core(Slot slot) const {
  const Job& job = jobs_[slot];
  JobCore core;
  core.id = job.id;
  core.no = job.no;
  core.payload_bytes = job.payload_bytes;
  core.batch_place = job.batch_place;
  core.state = job.state;
  core.pending = job.pending;
  core.redriven = job.redriven;
  core.reviewed = job.reviewed;
  core.purged = job.purged;
  terms_[job.terms].put_into(core);
  times_[job.times].put_into(core);
  if (job.course != kNoCourse) courses_[job.course].put_into(core);
  return core;
}

void JobTable::set(Slot slot, const JobCore& core) {
  Job& job = jobs_[slot];
  assert(job.no == core.no && terms_[job.terms].type == core.type);
  times_.change(job.times, JobTimes::of(core));
  put(job, core);
}

void JobTable::put(Job& job, const JobCore& core) {
  job.batch_place = core.batch_place;
  job.state = core.state;
  job.pending = core.pending;
  job.redriven = core.redriven;
  job.reviewed = core.reviewed;
  job.purged = core.purged;
  if (job.course != kNoCourse || !JobCourse::is_plain(core)) own_course(job).take_from(core);
}

JobCourse& JobTable::own_course(Job& job) {
  if (job.course == kNoCourse) job.course = courses_.take();
  return courses_[job.course];
}

JobExtra& JobTable::extra(Slot slot) {
  auto& extra = own_course(jobs_[slot]).extra;
  if (!extra) extra = std::make_unique<JobExtra>();
  return *extra;
}

}  // namespace pqd
