#include "core/changes.h"

#include <cstring>

namespace pqd {
namespace {

// Of a job by its row.
Change change_of(const JobCore& job, ChangeKind kind, JobState state) {
  Change change;
  change.id = job.id;
  change.holder = job.holder;
  change.owner_uid = job.owner_uid;
  change.queue = job.queue;
  change.type = job.type;
  change.attempt = job.attempts;
  change.kind = kind;
  change.state = state;
  change.progress = job.progress;
  return change;
}

// Of a job that is in memory.
std::optional<Change> change_of(const State& state, JobNo job, ChangeKind kind, JobState after,
                                Reason reason = Reason::kNone) {
  const Slot slot = state.jobs.find(job);
  if (slot == kNoSlot) return std::nullopt;
  const JobTerms& terms = state.jobs.terms(slot);
  const JobCourse& course = state.jobs.course(slot);
  Change change;
  change.id = state.jobs[slot].id;
  change.holder = course.holder;
  change.owner_uid = terms.owner_uid;
  change.queue = terms.queue;
  change.type = terms.type;
  change.attempt = course.attempts;
  change.kind = kind;
  change.state = after;
  change.progress = course.progress;
  change.reason = reason;
  return change;
}

// Of a dead letter, by its row as it stood.
std::optional<Change> change_of_row(ByteView row, ChangeKind kind) {
  const auto core = decode_row_core(row);
  if (!core) return std::nullopt;
  Change change = change_of(*core, kind, core->state);
  change.reason = kind == ChangeKind::kRedriven ? Reason::kNone : core->reason;
  return change;
}

}  // namespace

void Changes::keep(Change& change, TimeNs now, uint64_t told_with, CommitBuilder& commit) {
  change.seq = ++latest_;
  change.when_ns = now;
  change.commit = told_with;
  kept_[change.seq % kKept] = change;
  if (watched_) commit.effects().changes.push_back(change);
}

Changes::Noted Changes::made_ready(JobNo job, const State& state) {
  return change_of(state, job, ChangeKind::kReady, JobState::kPending);
}

Changes::Noted Changes::change_by(const Submitted& e, const State& state, const CommitBuilder& commit) {
  if (e.parked) return std::nullopt;  // not a job yet
  SubmitHead head;
  const ByteView record =
      is_memory(e.job) ? state.blocks.view({state.memory.open_block(), e.record}) : commit.blob(e.record);
  std::memcpy(&head, record.data(), sizeof head);
  Change change;
  change.id = head.id;
  change.owner_uid = e.owner_uid;
  change.queue = e.queue;
  change.type = e.type;
  change.kind = ChangeKind::kSubmitted;
  return change;
}

Changes::Noted Changes::change_by(const Admitted& e, const State& state, const CommitBuilder& /*commit*/) {
  return change_of(state, e.job, ChangeKind::kSubmitted, JobState::kPending);
}

Changes::Noted Changes::change_by(const KeyTurn& e, const State& state, const CommitBuilder& /*commit*/) {
  if (e.ready_seq == 0) return std::nullopt;
  return made_ready(e.job, state);
}

Changes::Noted Changes::change_by(const Readied& e, const State& state, const CommitBuilder& /*commit*/) {
  return made_ready(e.job, state);
}

Changes::Noted Changes::change_by(const Assigned& e, const State& state, const CommitBuilder& /*commit*/) {
  auto change = change_of(state, e.job, ChangeKind::kAssigned, JobState::kAssigned);
  if (!change) return change;
  change->holder = e.session;
  ++change->attempt;
  change->progress = 0;
  return change;
}

Changes::Noted Changes::change_by(const Started& e, const State& state, const CommitBuilder& /*commit*/) {
  return change_of(state, e.job, ChangeKind::kStarted, JobState::kProcessing);
}

Changes::Noted Changes::change_by(const Completed& e, const State& state, const CommitBuilder& /*commit*/) {
  auto change = change_of(state, e.job, ChangeKind::kCompleted, JobState::kCompleted);
  if (change) change->progress = 100;
  return change;
}

Changes::Noted Changes::change_by(const AttemptFailed& e, const State& state,
                                  const CommitBuilder& /*commit*/) {
  return change_of(state, e.job, ChangeKind::kAttemptFailed, JobState::kPending, e.reason);
}

Changes::Noted Changes::change_by(const Failed& e, const State& state, const CommitBuilder& /*commit*/) {
  return change_of(state, e.job, ChangeKind::kFailed, JobState::kFailed, e.reason);
}

Changes::Noted Changes::change_by(const TimedOut& e, const State& state, const CommitBuilder& /*commit*/) {
  return change_of(state, e.job, ChangeKind::kTimedOut, JobState::kTimeout, Reason::kQueueTimeout);
}

Changes::Noted Changes::change_by(const Cancelled& e, const State& state, const CommitBuilder& /*commit*/) {
  return change_of(state, e.job, ChangeKind::kCancelled, JobState::kCancelled, Reason::kCancelled);
}

Changes::Noted Changes::change_by(const CancelRequested& e, const State& state,
                                  const CommitBuilder& /*commit*/) {
  auto change = change_of(state, e.job, ChangeKind::kCancelRequested, JobState::kAssigned);
  if (change) change->state = state.jobs[state.jobs.find(e.job)].state;
  return change;
}

Changes::Noted Changes::change_by(const Released& e, const State& state, const CommitBuilder& /*commit*/) {
  return change_of(state, e.job, ChangeKind::kReleased, JobState::kPending);
}

Changes::Noted Changes::change_by(const Extended& e, const State& state, const CommitBuilder& /*commit*/) {
  auto change = change_of(state, e.job, ChangeKind::kExtended, JobState::kAssigned);
  if (!change) return change;
  const Slot slot = state.jobs.find(e.job);
  change->state = state.jobs[slot].state;
  if (e.progress != state.jobs.course(slot).progress || e.note.bytes != 0)
    change->kind = ChangeKind::kProgress;
  change->progress = e.progress;
  return change;
}

Changes::Noted Changes::change_by(const Redriven& e, const State& /*state*/, const CommitBuilder& commit) {
  auto change = change_of_row(commit.blob(e.row), ChangeKind::kRedriven);
  if (!change) return change;
  change->state = JobState::kPending;
  change->attempt = 0;
  change->progress = 0;
  return change;
}

Changes::Noted Changes::change_by(const Reviewed& e, const State& /*state*/, const CommitBuilder& commit) {
  return change_of_row(commit.blob(e.row), ChangeKind::kReviewed);
}

Changes::Noted Changes::change_by(const Purged& e, const State& /*state*/, const CommitBuilder& commit) {
  return change_of_row(commit.blob(e.row), ChangeKind::kPurged);
}

}  // namespace pqd
