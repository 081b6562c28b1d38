#include "core/state.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_set>

#include "core/canary.h"
#include "core/limits.h"

namespace pqd {
namespace {

bool holds_lease(const JobCore& job) {
  return job.state == JobState::kAssigned || job.state == JobState::kProcessing;
}

}  // namespace

HeldJobs State::held(SessionNo session) const {
  const auto found = held_.find(session);
  return found == held_.end() ? HeldJobs{} : found->second;
}

void State::mark_dirty(QueueNo queue) {
  if (queues_[queue].dirty) return;
  queues_[queue].dirty = true;
  dirty_.push_back(queue);
}

std::vector<QueueNo> State::take_dirty() {
  std::vector<QueueNo> taken;
  taken.swap(dirty_);
  for (const QueueNo queue : taken) queues_[queue].dirty = false;
  return taken;
}

Slot State::must_find(JobNo job) const {
  const Slot slot = jobs.find(job);
  if (slot == kNoSlot) std::abort();
  return slot;
}

Slot State::place_new(const JobCore& core, RecordRef record) {
  const Slot slot = jobs.add(core, record);
  blocks.add_user(record.block);
  return slot;
}

TimeNs State::pending_deadline(const JobCore& core) const {
  switch (core.pending) {
    case Pending::kReady:
      return core.queue_timeout_ms == 0 ? 0 : core.ready_ns + core.queue_timeout_ms * kMillisecondNs;
    case Pending::kScheduled:
    case Pending::kBackoff:
      return core.start_after_ns;
    case Pending::kHeld:
      return 0;
    case Pending::kCollecting:
      return core.ready_ns + tables.queue(core.queue).settings.batch_interval_ms * kMillisecondNs;
    case Pending::kParked:
      // A row of an earlier version does not say.
      if (core.lease_until_ns != 0) return core.lease_until_ns;
      return core.created_ns + tables.queue(core.queue).settings.admission_timeout_ms * kMillisecondNs;
  }
  return 0;
}

void State::enter(Slot slot) {
  Job& job = jobs[slot];
  QueueRuntime& q = queues_[job.core.queue];
  if (job.core.pending == Pending::kParked) {
    job.parked_rank = parked_rank(slot);
    q.parked.emplace(std::pair{-int{job.parked_rank}, job.core.no}, slot);
    ++parked_count_;
  } else if (job.core.pending == Pending::kHeld) {
    ++q.held;
  } else if (job.core.pending == Pending::kCollecting) {
    q.collecting.add(CollectingKey::of(job.core), job.core.ready_seq, slot);
  } else if (job.core.pending != Pending::kReady) {
    ++q.scheduled;
  }
  const TimeNs deadline = pending_deadline(job.core);
  if (deadline != 0) timers.set(slot, deadline);
  jobs.state_changed(slot);
  mark_dirty(job.core.queue);
}

void State::leave_pending(Slot slot) {
  Job& job = jobs[slot];
  QueueRuntime& q = queues_[job.core.queue];
  timers.clear(slot);
  mark_dirty(job.core.queue);
  switch (job.core.pending) {
    case Pending::kReady:
      q.ready.remove(jobs, slot);
      break;
    case Pending::kScheduled:
    case Pending::kBackoff:
      --q.scheduled;
      break;
    case Pending::kHeld:
      --q.held;
      break;
    case Pending::kCollecting:
      q.collecting.remove(CollectingKey::of(job.core), job.core.ready_seq);
      break;
    case Pending::kParked:
      q.parked.erase(std::pair{-int{job.parked_rank}, job.core.no});
      --parked_count_;
      break;
  }
}

void State::line_up(Slot slot) {
  const JobCore& core = jobs[slot].core;
  const bool ready = core.state == JobState::kPending && core.pending == Pending::kReady;
  if (ready) queues_[core.queue].ready.push_back(jobs, slot);
}

// A batch takes one turn and one credit, whatever the number of its jobs.
void State::take_in_hand(Slot slot) {
  const JobCore& core = jobs[slot].core;
  QueueRuntime& q = queues_[core.queue];
  ++q.active;
  if (core.batch_place == 0 || q.in_hand.take(core.batch())) {
    ++q.turns_out;
    q.consumers.spend({core.holder, core.subscription});
  }
  hold(slot);
}

void State::hold(Slot slot) {
  Job& job = jobs[slot];
  HeldJobs& list = held_[job.core.holder];
  job.held_prev = kNoSlot;
  job.held_next = list.head;
  if (list.head != kNoSlot) jobs[list.head].held_prev = slot;
  list.head = slot;
  ++list.count;
  jobs.state_changed(slot);
}

void State::let_go(Slot slot) {
  Job& job = jobs[slot];
  HeldJobs& list = held_[job.core.holder];
  (job.held_prev != kNoSlot ? jobs[job.held_prev].held_next : list.head) = job.held_next;
  if (job.held_next != kNoSlot) jobs[job.held_next].held_prev = job.held_prev;
  job.held_prev = job.held_next = kNoSlot;
  if (--list.count == 0) held_.erase(job.core.holder);
  timers.clear(slot);
  QueueRuntime& q = queues_[job.core.queue];
  --q.active;
  mark_dirty(job.core.queue);
  if (job.core.batch_place != 0 && !q.in_hand.give_back(job.core.batch())) return;
  --q.turns_out;
  if (PQD_CANARY("credit-leak") && job.core.cancel_requested) return;
  if (const auto* types = q.consumers.give_back({job.core.holder, job.core.subscription})) {
    if (types->empty()) q.ready.warm_all();
    for (const TypeNo type : *types) q.ready.warm(type);
  }
}

// An urgent submit does not overtake its ordering key on the way in either.
uint8_t State::parked_rank(Slot slot) const {
  const JobCore& core = jobs[slot].core;
  if (!core.keyed) return core.rank();
  const Slot before = queues_[core.queue].keys.before(ordering_key(slot), core.no);
  if (before == kNoSlot) return core.rank();
  const Job& other = jobs[before];
  const bool parked = other.core.state == JobState::kPending && other.core.pending == Pending::kParked;
  return parked ? std::min(core.rank(), other.parked_rank) : core.rank();
}

// The parked submits behind one of their key that waits for room no more go by their own ranks again.
void State::rerank_parked(QueueNo queue, std::string_view key, JobNo left) {
  QueueRuntime& q = queues_[queue];
  for (Slot at = q.keys.after(key, left); at != kNoSlot; at = q.keys.after(key, jobs[at].core.no)) {
    Job& job = jobs[at];
    const bool parked = job.core.state == JobState::kPending && job.core.pending == Pending::kParked;
    const uint8_t rank = parked ? parked_rank(at) : uint8_t{0};
    if (!parked || rank == job.parked_rank) return;  // what stands behind depends on it alone
    q.parked.erase(std::pair{-int{job.parked_rank}, job.core.no});
    job.parked_rank = rank;
    q.parked.emplace(std::pair{-int{rank}, job.core.no}, at);
  }
}

void State::enter_line(Slot slot) {
  const JobCore& core = jobs[slot].core;
  if (core.keyed) queues_[core.queue].keys.add(ordering_key(slot), core.no, slot);
}

void State::leave_line(Slot slot) {
  const JobCore& core = jobs[slot].core;
  if (!core.keyed) return;
  const Slot next = queues_[core.queue].keys.remove(ordering_key(slot), core.no);
  if (next == kNoSlot) return;
  const JobCore& waiting = jobs[next].core;
  if (waiting.state == JobState::kPending && waiting.pending == Pending::kHeld)
    key_turns_.push_back(waiting.no);
}

void State::count_in(Slot slot) {
  const JobCore& core = jobs[slot].core;
  queues_[core.queue].bytes += core.payload_bytes;
}

void State::count_out(Slot slot) {
  const JobCore& core = jobs[slot].core;
  QueueRuntime& q = queues_[core.queue];
  q.bytes -= core.payload_bytes;
  mark_dirty(core.queue);
}

std::string_view State::ordering_key(Slot slot) const {
  const auto submit = read_submit_record(blocks.view(jobs[slot].record));
  if (!submit) std::abort();
  return submit->ordering_key;
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
  fold(jobs[slot].core, e, now());
  tables.apply(e);
  count_in(slot);
  enter(slot);
  line_up(slot);
  const JobCore& core = jobs[slot].core;
  if (core.keyed) rerank_parked(core.queue, ordering_key(slot), core.no);
}

void State::apply(const KeyTurn& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  fold(jobs[slot].core, e, now());
  tables.apply(e);
  enter(slot);
  line_up(slot);
}

void State::apply(const BatchFormed& e) {
  tables.apply(e);
  for (size_t i = 0; i < e.jobs.size(); ++i) {
    const Slot slot = must_find(e.jobs[i]);
    leave_pending(slot);
    fold(jobs[slot].core, e, i, now());
    enter(slot);
    line_up(slot);
  }
}

void State::apply(const ParkRefused& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  leave_line(slot);
  const JobCore& core = jobs[slot].core;
  if (core.keyed) rerank_parked(core.queue, ordering_key(slot), core.no);
  drop_references(slot);
  jobs.remove(slot);
}

void State::apply(const Readied& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  fold(jobs[slot].core, e, now());
  tables.apply(e);
  enter(slot);
  line_up(slot);
}

void State::apply(const Assigned& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  fold(jobs[slot].core, e, tables.epoch, now());
  jobs.state_changed(slot);
  tables.apply(e);
  take_in_hand(slot);
  timers.set(slot, e.until_ns);
}

void State::apply(const Reheld& e) {
  const Slot slot = must_find(e.job);
  const TimeNs until_ns = jobs[slot].core.lease_until_ns;
  let_go(slot);
  fold(jobs[slot].core, e, now());
  tables.apply(e);
  take_in_hand(slot);
  timers.set(slot, until_ns);
}

void State::apply(const Started& e) {
  const Slot slot = must_find(e.job);
  fold(jobs[slot].core, e, now());
  jobs.state_changed(slot);
}

void State::close_job(Slot slot) {
  count_out(slot);
  leave_line(slot);
  jobs.state_changed(slot);
  if (is_memory(jobs[slot].core.no)) return remember(slot);
  finished_.emplace_back(commit, jobs[slot].core.no);
}

// The latest of them, so that whoever waits for one finds it.
void State::remember(Slot slot) {
  const auto bytes_of = [this](Slot at) {
    const Job& job = jobs[at];
    return job.core.payload_bytes + size_t{job.extra ? job.extra->result.blob.bytes : 0};
  };
  memory_finished_.push_back(jobs[slot].core.no);
  memory_finished_bytes_ += bytes_of(slot);
  while (memory_finished_.size() > 1 && (memory_finished_.size() > limits::kMemoryFinishedMax ||
                                         memory_finished_bytes_ > limits::kMemoryFinishedBytesMax)) {
    const Slot oldest = must_find(memory_finished_.front());
    memory_finished_.pop_front();
    memory_finished_bytes_ -= bytes_of(oldest);
    drop_references(oldest);
    jobs.remove(oldest);
  }
}

void State::apply(const Completed& e, RecordRef result) {
  const Slot slot = must_find(e.job);
  let_go(slot);
  fold(jobs[slot].core, e, now());
  if (!result.empty()) {
    jobs.extra(slot).result = result;
    blocks.add_user(result.block);
  }
  close_job(slot);
}

void State::note_attempt(Slot slot, Reason reason, std::string_view error) {
  const JobCore& core = jobs[slot].core;
  jobs.extra(slot).history.push_back(ended_attempt(core, tables.uid_of(core.holder), reason, error, now()));
}

void State::apply(const AttemptFailed& e, std::string_view error) {
  const Slot slot = must_find(e.job);
  let_go(slot);
  note_attempt(slot, e.reason, error);
  fold(jobs[slot].core, e, now());
  enter(slot);
}

void State::apply(const Failed& e, std::string_view error) {
  const Slot slot = must_find(e.job);
  let_go(slot);
  note_attempt(slot, e.reason, error);
  fold(jobs[slot].core, e, now());
  if (is_dead_letter(jobs[slot].core)) tables.count_dead_letter(jobs[slot].core.queue, +1);
  close_job(slot);
}

void State::apply(const TimedOut& e) {
  const Slot slot = must_find(e.job);
  leave_pending(slot);
  fold(jobs[slot].core, e, now());
  if (is_dead_letter(jobs[slot].core)) tables.count_dead_letter(jobs[slot].core.queue, +1);
  close_job(slot);
}

void State::apply(const Cancelled& e) {
  const Slot slot = must_find(e.job);
  if (holds_lease(jobs[slot].core)) {
    let_go(slot);
  } else {
    leave_pending(slot);
  }
  fold(jobs[slot].core, e, now());
  close_job(slot);
}

void State::apply(const CancelRequested& e) { fold(jobs[must_find(e.job)].core, e, now()); }

void State::apply(const Released& e) {
  const Slot slot = must_find(e.job);
  let_go(slot);
  fold(jobs[slot].core, e, now());
  enter(slot);
  if (jobs[slot].core.pending == Pending::kReady)
    queues_[jobs[slot].core.queue].ready.push_returned(jobs, slot);
}

void State::apply(const Extended& e, std::string_view note) {
  const Slot slot = must_find(e.job);
  fold(jobs[slot].core, e, now());
  if (!note.empty()) jobs.extra(slot).note = note;
  timers.set(slot, e.until_ns);
}

void State::apply(const Redriven& e, RecordRef record, JobRow&& was) {
  const Slot earlier = jobs.find(was.core.id);
  if (earlier != kNoSlot) {
    drop_references(earlier);
    jobs.remove(earlier);
  }
  const Slot slot = place_new(reborn(e, was.core, now()), record);
  tables.apply(e);
  tables.count_dead_letter(was.core.queue, -1);
  was.note.clear();
  keep_extra(slot, std::move(was));
  count_in(slot);
  enter_line(slot);
  enter(slot);
  line_up(slot);
}

void State::keep_extra(Slot slot, JobRow&& row) {
  if (row.history.empty() && row.reviews.empty() && row.note.empty()) return;
  JobExtra& extra = jobs.extra(slot);
  extra.note = std::move(row.note);
  extra.history = std::move(row.history);
  extra.reviews = std::move(row.reviews);
}

void State::amend(JobRow&& row, RecordRef record) {
  const Slot earlier = jobs.find(row.core.id);
  if (earlier != kNoSlot) {
    drop_references(earlier);
    jobs.remove(earlier);
  }
  const JobNo job = row.core.no;
  keep_extra(place_new(row.core, record), std::move(row));
  amended_[job] = commit;
  finished_.emplace_back(commit, job);
}

void State::apply(const Reviewed& e, RecordRef record, JobRow&& was, std::string_view resolution) {
  pqd::amend(was, e, tables.uid_of(e.by), resolution, now());
  amend(std::move(was), record);
}

void State::apply(const Purged& e, RecordRef record, JobRow&& was) {
  pqd::amend(was, e, now());
  tables.count_dead_letter(was.core.queue, -1);
  amend(std::move(was), record);
}

void State::apply(const QueueCreated& e) {
  tables.apply(e);
  queues_.emplace_back();
}

void State::settings_changed(QueueNo queue) {
  // The interval may be another one now.
  for (const auto& [key, line] : queues_[queue].collecting.lines())
    for (const auto& [seq, slot] : line) timers.set(slot, pending_deadline(jobs[slot].core));
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

void State::set_consumer(SessionNo session, const SubscriptionEntry& subscription) {
  uint32_t used = 0;
  std::unordered_set<uint64_t> batches;
  for (Slot at = held(session).head; at != kNoSlot; at = jobs[at].held_next) {
    const JobCore& core = jobs[at].core;
    if (core.subscription != subscription.number || core.queue != subscription.queue) continue;
    if (core.batch_place == 0 || batches.insert(core.batch()).second) ++used;
  }
  QueueRuntime& q = queues_[subscription.queue];
  if (!q.consumers.set({session, subscription.number}, subscription.types, subscription.credits, used))
    return;
  if (subscription.types.empty()) q.ready.warm_all();
  for (const TypeNo type : subscription.types) q.ready.warm(type);
  mark_dirty(subscription.queue);
}

void State::apply(const Subscribed& e) {
  remove_consumer(e.session, e.number);
  tables.apply(e);
  set_consumer(e.session, {e.number, e.queue, e.credits, e.types});
}

void State::remove_consumer(SessionNo number, uint32_t subscription) {
  const SessionEntry* session = tables.session(number);
  if (session == nullptr) return;
  for (const SubscriptionEntry& sub : session->subscriptions) {
    if (sub.number == subscription) queues_[sub.queue].consumers.remove({number, subscription});
  }
}

void State::apply(const Unsubscribed& e) {
  remove_consumer(e.session, e.number);
  tables.apply(e);
}

void State::end_session(SessionNo session) {
  if (const SessionEntry* entry = tables.session(session)) {
    for (const SubscriptionEntry& sub : entry->subscriptions)
      queues_[sub.queue].consumers.remove({session, sub.number});
  }
}

void State::apply(const SessionClosed& e) {
  end_session(e.session);
  tables.apply(e);
}

void State::apply(const SessionResumed& e) {
  end_session(e.from);
  tables.apply(e);
}

void State::drop_references(Slot slot) {
  Job& job = jobs[slot];
  blocks.drop_user(job.record.block);
  if (job.extra && !job.extra->result.empty()) blocks.drop_user(job.extra->result.block);
}

void State::retire(uint64_t covered) {
  idempotency.retire(covered);
  while (!finished_.empty() && finished_.front().first <= covered) {
    const auto [finished, job] = finished_.front();
    finished_.pop_front();
    const auto amended = amended_.find(job);
    if (amended != amended_.end()) {
      if (amended->second > finished) continue;  // stands further behind once more
      amended_.erase(amended);
    }
    const Slot slot = jobs.find(job);
    if (slot == kNoSlot) continue;  // redriven meanwhile
    drop_references(slot);
    jobs.remove(slot);
  }
}

}  // namespace pqd
