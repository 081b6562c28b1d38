#include "core/fold.h"

#include <algorithm>

#include "core/canary.h"
#include "core/lifecycle.h"

namespace pqd {
namespace {

uint32_t or_default(uint32_t value, uint32_t fallback) { return value == kTimeoutDefault ? fallback : value; }

// Where a job goes when nothing holds it up any more: batch jobs wait for one another first.
Pending first_stop(const JobCore& job) {
  return job.mode == Mode::kBatch ? Pending::kCollecting : Pending::kReady;
}

void become_ready(JobCore& job, uint64_t ready_seq, TimeNs now) {
  take(job, Step::kReady);
  job.pending = first_stop(job);
  job.ready_seq = ready_seq;
  if (!PQD_CANARY("queue-timeout-during-backoff") || job.attempts == 0) job.ready_ns = now;
}

void give_up_lease(JobCore& job) {
  job.holder = 0;
  job.lease_until_ns = 0;
  job.batch_place = 0;
}

void count_end(JobCore& job, Reason reason) {
  const bool by_consumer = reason == Reason::kFailedByConsumer || reason == Reason::kDoNotRetry;
  uint16_t& counter = by_consumer ? job.failures : job.deaths;
  if (counter < UINT16_MAX) ++counter;
}

void finish(JobCore& job, Step step, Reason reason, TimeNs now) {
  take(job, step);
  job.reason = reason;
  job.finished_ns = now;
  give_up_lease(job);
}

}  // namespace

JobCore born(const Submitted& event, const SubmitView& submit, const QueueSettings& settings, TimeNs now) {
  const SubmitHead& h = submit.head;
  JobCore job;
  job.id = h.id;
  job.no = event.job;
  job.submitter = event.session;
  job.created_ns = now;
  job.start_after_ns = h.not_before_ms * kMillisecondNs;
  job.owner_uid = event.owner_uid;
  job.queue = event.queue;
  job.type = event.type;
  job.queue_timeout_ms = or_default(h.queue_timeout_ms, settings.queue_timeout_ms);
  job.processing_timeout_ms = or_default(h.processing_timeout_ms, settings.processing_timeout_ms);
  if (job.processing_timeout_ms == 0) job.processing_timeout_ms = settings.processing_timeout_ms;
  job.backoff_first_ms = or_default(h.backoff_first_ms, settings.backoff_first_ms);
  job.backoff_cap_ms = or_default(h.backoff_cap_ms, settings.backoff_cap_ms);
  job.backoff_jitter = (h.head.flags & kFlagBackoffJitter) != 0;
  job.payload_bytes = h.payload_bytes;
  job.max_attempts = h.max_attempts != 0 ? h.max_attempts : static_cast<uint16_t>(settings.max_attempts);
  job.mode = static_cast<Mode>(h.mode);
  job.priority = h.priority;
  job.delivery = static_cast<Delivery>(h.delivery);
  job.durability = static_cast<Durability>(h.durability);
  job.ready_seq = event.ready_seq;
  job.keyed = !submit.ordering_key.empty();
  if (event.parked) {
    job.pending = Pending::kParked;
    job.lease = event.seq;
    job.subscription = event.lane;
    job.lease_until_ns = now + settings.admission_timeout_ms * kMillisecondNs;
  } else if (event.held) {
    job.pending = Pending::kHeld;
  } else if (event.ready_seq == 0) {
    job.pending = Pending::kScheduled;
  } else {
    job.pending = first_stop(job);
    job.ready_ns = now;
  }
  return job;
}

void fold(JobCore& job, const Admitted& event, TimeNs now) {
  job.lease_until_ns = 0;
  if (event.ready_seq != 0) return become_ready(job, event.ready_seq, now);
  job.pending = event.held ? Pending::kHeld : Pending::kScheduled;
}

void fold(JobCore& job, const KeyTurn& event, TimeNs now) {
  if (event.ready_seq != 0) return become_ready(job, event.ready_seq, now);
  job.pending = Pending::kScheduled;
}

void fold(JobCore& job, const BatchFormed& event, size_t index, TimeNs now) {
  take(job, Step::kReady);
  job.pending = Pending::kReady;
  job.ready_seq = event.first_ready_seq + index;
  job.ready_ns = now;
  job.batch_place = static_cast<uint16_t>(index + 1);
}

void fold(JobCore& job, const ParkRefused& /*event*/, TimeNs now) {
  finish(job, Step::kCancel, Reason::kNone, now);
}

void fold(JobCore& job, const Readied& event, TimeNs now) { become_ready(job, event.ready_seq, now); }

void fold(JobCore& job, const Assigned& event, uint32_t epoch, TimeNs now) {
  take(job, Step::kAssign);
  if (!PQD_CANARY("attempt-not-counted")) ++job.attempts;
  job.holder = event.session;
  job.lease = event.lease;
  job.delivery_no = event.delivery;
  job.subscription = event.subscription;
  job.lease_epoch = epoch;
  job.lease_until_ns = event.until_ns;
  job.assigned_ns = now;
  job.progress = 0;
}

void fold(JobCore& job, const Reheld& event, TimeNs /*now*/) {
  job.holder = event.session;
  job.delivery_no = event.delivery;
}

void fold(JobCore& job, const Started& /*event*/, TimeNs /*now*/) { take(job, Step::kStart); }

void fold(JobCore& job, const Completed& /*event*/, TimeNs now) {
  finish(job, Step::kComplete, Reason::kNone, now);
  job.progress = 100;
}

void fold(JobCore& job, const AttemptFailed& event, TimeNs /*now*/) {
  take(job, Step::kRetry);
  count_end(job, event.reason);
  give_up_lease(job);
  job.pending = Pending::kBackoff;
  job.ready_seq = 0;
  job.start_after_ns = event.retry_ns;
}

void fold(JobCore& job, const Failed& event, TimeNs now) {
  count_end(job, event.reason);
  finish(job, Step::kFail, event.reason, now);
}

void fold(JobCore& job, const TimedOut& /*event*/, TimeNs now) {
  finish(job, Step::kTimeout, Reason::kQueueTimeout, now);
}

void fold(JobCore& job, const Cancelled& /*event*/, TimeNs now) {
  finish(job, Step::kCancel, Reason::kCancelled, now);
}

void fold(JobCore& job, const CancelRequested& /*event*/, TimeNs /*now*/) { job.cancel_requested = true; }

void fold(JobCore& job, const Released& /*event*/, TimeNs now) {
  take(job, Step::kRelease);
  --job.attempts;
  give_up_lease(job);
  job.pending = first_stop(job);
  job.ready_ns = now;
}

void fold(JobCore& job, const Extended& event, TimeNs /*now*/) {
  job.lease_until_ns = event.until_ns;
  job.progress = event.progress;
}

void fold(JobCore& job, const Reviewed& /*event*/, TimeNs /*now*/) { job.reviewed = true; }
void fold(JobCore& job, const Purged& /*event*/, TimeNs /*now*/) { job.purged = true; }

void amend(JobRow& row, const Reviewed& event, uint32_t reviewer_uid, std::string_view resolution,
           TimeNs now) {
  fold(row.core, event, now);
  row.reviews.push_back({now, event.by, reviewer_uid, std::string(resolution)});
}

void amend(JobRow& row, const Purged& event, TimeNs now) {
  fold(row.core, event, now);
  row.payload_dropped = true;
}

JobCore reborn(const Redriven& event, const JobCore& was, TimeNs now) {
  JobCore job = was;
  job.no = event.job;
  job.state = JobState::kPending;
  job.pending = event.ready_seq != 0 ? first_stop(job) : Pending::kHeld;
  job.ready_seq = event.ready_seq;
  job.ready_ns = event.ready_seq != 0 ? now : 0;
  job.start_after_ns = 0;
  job.finished_ns = 0;
  job.attempts = 0;
  job.reason = Reason::kNone;
  job.progress = 0;
  job.cancel_requested = false;
  job.redriven = true;
  job.reviewed = false;
  return job;
}

AttemptInfo ended_attempt(const JobCore& job, uint32_t holder_uid, Reason reason, std::string_view error,
                          TimeNs now) {
  AttemptInfo attempt;
  attempt.attempt = job.attempts;
  attempt.reason = reason;
  attempt.when_ns = now;
  attempt.session = job.holder;
  attempt.uid = holder_uid;
  attempt.error = error;
  return attempt;
}

uint64_t backoff_ms(const JobCore& job) {
  const unsigned doublings = std::min<unsigned>(job.attempts > 0 ? job.attempts - 1u : 0u, 32u);
  const uint64_t raw = uint64_t{job.backoff_first_ms} << doublings;
  return std::min<uint64_t>(raw, job.backoff_cap_ms);
}

}  // namespace pqd
