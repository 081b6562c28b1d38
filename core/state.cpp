// The events that move a job along, and those about queues. Its places are in state_places.cpp, its end in
// state_ends.cpp, consumers in state_consumers.cpp, recovery in replay.cpp.
#include "core/state.h"

#include <cstdlib>

namespace pqd {
namespace {

bool holds_lease(const Job& job) {
  return job.state == JobState::kAssigned || job.state == JobState::kProcessing;
}

}  // namespace

Slot State::must_find(JobNo job) const {
  const Slot slot = jobs.find(job);
  if (slot == kNoSlot) std::abort();
  return slot;
}

template <class... What>
void State::change(Slot slot, const What&... what) {
  JobCore core = jobs.core(slot);
  fold(core, what...);
  jobs.set(slot, core);
}

Slot State::place_new(const JobCore& core, RecordRef record) {
  const Slot slot = jobs.add(core, record);
  blocks.add_record(record.block);
  return slot;
}

void State::apply(const Submitted& e, const SubmitView& submit, RecordRef record) {
  const QueueSettings& settings = tables.queue(e.queue).settings;
  const Slot slot = place_new(born(e, submit, settings, now()), record);
  had_memory_jobs |= is_memory(e.job);
  tables.apply(e, submit.head.id);
  if (!e.parked) count_in(slot);
  enter_line(slot);
  enter(slot);
  line_up(slot);
}

void State::apply(const Admitted& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  change(slot, e, now());
  tables.apply(e);
  count_in(slot);
  enter(slot);
  line_up(slot);
  const JobTerms& terms = jobs.terms(slot);
  if (terms.keyed) rerank_parked(terms.queue, ordering_key(slot), jobs[slot].no);
}

void State::apply(const KeyTurn& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  change(slot, e, now());
  tables.apply(e);
  enter(slot);
  line_up(slot);
}

void State::apply(const BatchFormed& e) {
  tables.apply(e);
  for (size_t i = 0; i < e.jobs.size(); ++i) {
    const Slot slot = must_find(e.jobs[i]);
    leave_pending(slot);
    change(slot, e, i, now());
    enter(slot);
    line_up(slot);
  }
}

void State::apply(const ParkRefused& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  leave_line(slot);
  const JobTerms& terms = jobs.terms(slot);
  if (terms.keyed) rerank_parked(terms.queue, ordering_key(slot), jobs[slot].no);
  drop_references(slot);
  jobs.remove(slot);
}

void State::apply(const Readied& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  change(slot, e, now());
  tables.apply(e);
  enter(slot);
  line_up(slot);
}

void State::apply(const Assigned& e) {
  const Slot slot = must_find(e.job);
  pass_turn(slot);
  leave_pending(slot);
  change(slot, e, tables.epoch, now());
  jobs.state_changed(slot);
  tables.apply(e);
  take_in_hand(slot);
  timers.set(slot, e.until_ns);
}

void State::apply(const Reheld& e) {
  const Slot slot = must_find(e.job);
  const TimeNs until_ns = jobs.course(slot).lease_until_ns;
  let_go(slot);
  change(slot, e, now());
  tables.apply(e);
  take_in_hand(slot);
  timers.set(slot, until_ns);
}

void State::apply(const Started& e) {
  const Slot slot = must_find(e.job);
  change(slot, e, now());
  jobs.state_changed(slot);
}

void State::apply(const Completed& e, RecordRef result) {
  const Slot slot = must_find(e.job);
  let_go(slot);
  change(slot, e, now());
  if (!result.empty()) {
    jobs.extra(slot).result = result;
    blocks.add_user(result.block);
  }
  close_job(slot);
}

void State::apply(const AttemptFailed& e, std::string_view error) {
  const Slot slot = must_find(e.job);
  let_go(slot);
  note_attempt(slot, e.reason, error);
  change(slot, e, now());
  enter(slot);
}

void State::apply(const Failed& e, std::string_view error) {
  const Slot slot = must_find(e.job);
  let_go(slot);
  note_attempt(slot, e.reason, error);
  change(slot, e, now());
  if (is_dead_letter(jobs.core(slot))) tables.count_dead_letter(jobs.terms(slot).queue, +1);
  close_job(slot);
}

void State::apply(const TimedOut& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  change(slot, e, now());
  if (is_dead_letter(jobs.core(slot))) tables.count_dead_letter(jobs.terms(slot).queue, +1);
  close_job(slot);
}

void State::apply(const Cancelled& e) {
  const Slot slot = must_find(e.job);
  if (holds_lease(jobs[slot])) {
    let_go(slot);
  } else {
    leave_pending(slot);
  }
  change(slot, e, now());
  close_job(slot);
}

void State::apply(const CancelRequested& e) { change(must_find(e.job), e, now()); }

void State::apply(const Released& e) {
  const Slot slot = must_find(e.job);
  let_go(slot);
  change(slot, e, now());
  enter(slot);
  if (jobs[slot].pending == Pending::kReady)
    queues_[jobs.terms(slot).queue].ready.push(jobs, slot, true, group_name(slot));
}

void State::apply(const Extended& e, std::string_view note) {
  const Slot slot = must_find(e.job);
  change(slot, e, now());
  if (!note.empty()) jobs.extra(slot).note = note;
  timers.set(slot, e.until_ns);
}

void State::apply(const QueueCreated& e) {
  tables.apply(e);
  queues_.emplace_back();
  group_ready_jobs(e.queue);
}

void State::settings_changed(QueueNo queue) {
  Collecting& collecting = queues_[queue].collecting;
  collecting.regroup([this](Slot slot) { return collecting_key(slot); });
  // The interval may be another one now.
  for (const auto& [key, line] : collecting.lines())
    for (const auto& [seq, slot] : line) timers.set(slot, pending_deadline(slot));
  if (queues_[queue].ready.fairness() != tables.queue(queue).settings.fair) group_ready_jobs(queue);
  mark_dirty(queue);
}

void State::apply(const QueueConfigured& e) {
  tables.apply(e);
  settings_changed(e.queue);
}

void State::apply(const QueueOverridden& e) {
  tables.apply(e);
  settings_changed(e.queue);
}

void State::apply(const QueueControlled& e) {
  tables.apply(e);
  mark_dirty(e.queue);
}

}  // namespace pqd
