// The model's settlements and the ends of attempts.
#include "core/control_record.h"
#include "tests/sim/model.h"

namespace pqd::sim {

Error Model::settle(SessionNo session, ByteView record) {
  const auto parsed = read_settle(record);
  if (!parsed) return parsed.error();
  const SettleHead& head = parsed->head;
  const auto kind = static_cast<RecordKind>(head.head.kind);
  const auto at = live_.find(head.id);
  const bool good = at != live_.end() && at->second.held_by_consumer() && at->second.token == head.token &&
                    at->second.holder == session;
  if (!good) {
    const bool again = (head.head.flags & kFlagResubmitted) != 0;
    return again && counted_before(head) ? Error::kOk : Error::kLeaseLost;
  }
  ModelJob& job = at->second;
  const std::string body(as_text(parsed->body));
  if (kind == RecordKind::kStart) {
    if (job.state == JobState::kAssigned) changed(job, ChangeKind::kStarted, JobState::kProcessing);
    job.state = JobState::kProcessing;
    return Error::kOk;
  }
  if (kind == RecordKind::kExtend) {
    const uint64_t lease_ms = head.extend_ms != 0 ? head.extend_ms : job.lease_ms;
    job.deadline = now_ + static_cast<TimeNs>(lease_ms) * kMillisecondNs;
    const bool progress = (head.progress != 0 && head.progress != job.progress) || !body.empty();
    if (head.progress != 0) job.progress = head.progress;
    if (!body.empty()) job.note = body;
    changed(job, progress ? ChangeKind::kProgress : ChangeKind::kExtended, job.state);
    return Error::kOk;
  }
  if (job.cancel_requested) {
    finish(job, JobState::kCancelled, Reason::kCancelled);
  } else if (kind == RecordKind::kComplete) {
    job.result = body;
    job.progress = 100;
    finish(job, JobState::kCompleted, Reason::kNone);
  } else if (kind == RecordKind::kFail) {
    const bool for_good = (head.head.flags & kFlagDoNotRetry) != 0;
    end_attempt(job, for_good ? Reason::kDoNotRetry : Reason::kFailedByConsumer, body);
  } else if (job.delivery == Delivery::kAtMostOnce) {
    end_attempt(job, Reason::kDeliveryLost, {});
  } else {
    changed(job, ChangeKind::kReleased, JobState::kPending);
    --job.attempts;
    let_go(job);
    job.ready_at = now_;
    if (job.mode == Mode::kBatch) {
      job.pending = Pending::kCollecting;
      job.deadline = now_ + queues_.at(job.queue).settings.batch_interval_ms * kMillisecondNs;
      return Error::kOk;
    }
    job.pending = Pending::kReady;
    job.group = group_of(job);
    job.deadline =
        job.queue_timeout_ms == 0 ? 0 : now_ + static_cast<TimeNs>(job.queue_timeout_ms) * kMillisecondNs;
    regroup(job.queue);
  }
  return Error::kOk;
}

// A settlement that is sent again counts as done when the job stands where it would have taken it, under the
// same lease.
bool Model::counted_before(const SettleHead& head) const {
  const ModelJob* job = find(head.id);
  if (job == nullptr || !(job->token == head.token)) return false;
  const auto kind = static_cast<RecordKind>(head.head.kind);
  const bool pending = job->state == JobState::kPending;
  const bool cancelled = job->reason == Reason::kCancelled;
  if (kind == RecordKind::kComplete) return job->state == JobState::kCompleted || cancelled;
  if (kind == RecordKind::kFail) return job->state == JobState::kFailed || pending || cancelled;
  return kind == RecordKind::kRelease && (pending || cancelled);
}

void Model::let_go(ModelJob& job) {
  job.state = JobState::kPending;
  job.holder = 0;
  job.deadline = 0;
  job.batch = job.batch_told = 0;
}

void Model::finish(ModelJob& job, JobState state, Reason reason) {
  changed(job,
          state == JobState::kCompleted   ? ChangeKind::kCompleted
          : state == JobState::kFailed    ? ChangeKind::kFailed
          : state == JobState::kCancelled ? ChangeKind::kCancelled
                                          : ChangeKind::kTimedOut,
          state, reason);
  job.state = state;
  job.reason = reason;
  job.holder = 0;
  job.deadline = 0;
  const JobId id = job.id;
  const std::string queue = job.queue;
  const std::string key = job.key;
  finished_[id] = std::move(job);
  live_.erase(id);
  just_finished_.push_back(id);
  left_line(queue, key);
  regroup(queue);
}

// A parked submit that never became a job. Its idempotency key is free.
void Model::forget_parked(const JobId& id) {
  const ModelJob job = live_.at(id);
  if (const auto key = keys_.find(job.scope); key != keys_.end() && key->second.first == id) keys_.erase(key);
  give_back(job);
  live_.erase(job.id);
  left_line(job.queue, job.key);
}

void Model::left_line(const std::string& queue, const std::string& key) {
  if (key.empty()) return;
  const ModelJob* first = nullptr;
  for (const auto& [id, job] : live_)
    if (job.queue == queue && job.key == key && (first == nullptr || job.arrival < first->arrival))
      first = &job;
  if (first != nullptr) key_turns_.push_back(first->id);
}

void Model::end_attempt(ModelJob& job, Reason reason, std::string error) {
  if (job.cancel_requested) return finish(job, JobState::kCancelled, Reason::kCancelled);
  const bool by_consumer = reason == Reason::kFailedByConsumer || reason == Reason::kDoNotRetry;
  if (job.delivery == Delivery::kAtMostOnce && !by_consumer) reason = Reason::kDeliveryLost;
  job.history.push_back({job.attempts, reason, job.holder, std::move(error)});
  ++(by_consumer ? job.failures : job.deaths);
  const bool last = reason == Reason::kDoNotRetry || job.delivery == Delivery::kAtMostOnce ||
                    job.attempts >= job.max_attempts;
  if (last) return finish(job, JobState::kFailed, reason);
  changed(job, ChangeKind::kAttemptFailed, JobState::kPending, reason);
  let_go(job);
  uint64_t wait_ms = job.backoff_first_ms;
  for (int spent = 1; spent < job.attempts && wait_ms < job.backoff_cap_ms; ++spent) wait_ms *= 2;
  wait_ms = std::min(wait_ms, job.backoff_cap_ms);
  job.pending = Pending::kBackoff;
  job.ready_order = 0;
  job.retry_earliest = now_ + static_cast<TimeNs>(wait_ms) * kMillisecondNs;
  job.retry_latest = job.retry_earliest + (job.jitter ? static_cast<TimeNs>(wait_ms) * kMillisecondNs : 0);
  job.not_before = job.deadline = job.retry_earliest;
}

}  // namespace pqd::sim
