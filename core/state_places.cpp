// Where the jobs of a State stand: in lines, behind keys, in hands, under timers.
#include <algorithm>

#include "core/canary.h"
#include "core/state.h"

namespace pqd {

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
    q.collecting.add(collecting_key(slot), job.core.ready_seq, slot);
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
      q.collecting.remove(collecting_key(slot), job.core.ready_seq);
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
  if (ready) queues_[core.queue].ready.push(jobs, slot, false, group_name(slot));
}

// A batch takes one turn, with the first of its jobs.
void State::pass_turn(Slot slot) {
  const JobCore& core = jobs[slot].core;
  QueueRuntime& q = queues_[core.queue];
  if (core.batch_place == 0 || q.in_hand.jobs(core.batch()) == 0) q.ready.pass_turn(jobs, slot);
}

void State::group_ready_jobs(QueueNo queue) {
  const QueueEntry& entry = tables.queue(queue);
  const Fairness fair = entry.settings.fair;
  const auto found = weights_.find(entry.name);
  const QueueWeights weights = found == weights_.end() ? QueueWeights{} : found->second;
  queues_[queue].ready.group_by(jobs, fair, fair == Fairness::kUser ? weights.users : weights.keys,
                                [this](Slot slot) { return group_name(slot); });
}

void State::set_weights(std::map<std::string, QueueWeights> weights) {
  weights_ = std::move(weights);
  for (QueueNo queue = 0; queue < queues_.size(); ++queue) {
    if (queues_[queue].ready.fairness() == Fairness::kOff) continue;
    group_ready_jobs(queue);
    queues_[queue].ready.warm_all();
  }
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

std::string State::group_name(Slot slot) const {
  const JobCore& core = jobs[slot].core;
  const Fairness fair = tables.queue(core.queue).settings.fair;
  if (fair == Fairness::kOff) return {};
  if (fair == Fairness::kKey) return std::string(ordering_key(slot));
  const auto submit = read_submit_record(blocks.view(jobs[slot].record));
  if (!submit) std::abort();
  return user_text(core.owner_uid, submit->subject);
}

CollectingKey State::collecting_key(Slot slot) const {
  const JobCore& core = jobs[slot].core;
  return {core.type, is_memory(core.no), group_name(slot)};
}

}  // namespace pqd
