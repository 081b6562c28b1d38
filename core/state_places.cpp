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

TimeNs State::pending_deadline(Slot slot) const {
  const Job& job = jobs[slot];
  const JobTerms& terms = jobs.terms(slot);
  const JobTimes& times = jobs.times(slot);
  switch (job.pending) {
    case Pending::kReady:
      return terms.queue_timeout_ms == 0 ? 0 : times.ready_ns + terms.queue_timeout_ms * kMillisecondNs;
    case Pending::kScheduled:
    case Pending::kBackoff:
      return times.start_after_ns;
    case Pending::kHeld:
      return 0;
    case Pending::kCollecting:
      return times.ready_ns + tables.queue(terms.queue).settings.batch_interval_ms * kMillisecondNs;
    case Pending::kParked:
      // A row of an earlier version does not say.
      if (const TimeNs until = jobs.course(slot).lease_until_ns; until != 0) return until;
      return times.created_ns + tables.queue(terms.queue).settings.admission_timeout_ms * kMillisecondNs;
  }
  return 0;
}

void State::enter(Slot slot) {
  Job& job = jobs[slot];
  const QueueNo queue = jobs.terms(slot).queue;
  QueueRuntime& q = queues_[queue];
  if (job.pending == Pending::kParked) {
    const uint8_t rank = parked_rank(slot);
    jobs.set_parked_rank(slot, rank);
    q.parked.emplace(std::pair{-int{rank}, job.no}, slot);
    ++parked_count_;
  } else if (job.pending == Pending::kHeld) {
    ++q.held;
  } else if (job.pending == Pending::kCollecting) {
    q.collecting.add(collecting_key(slot), jobs.ready_seq(slot), slot);
  } else if (job.pending != Pending::kReady) {
    ++q.scheduled;
  }
  const TimeNs deadline = pending_deadline(slot);
  if (deadline != 0) timers.set(slot, deadline);
  jobs.state_changed(slot);
  mark_dirty(queue);
}

void State::leave_pending(Slot slot) {
  Job& job = jobs[slot];
  const QueueNo queue = jobs.terms(slot).queue;
  QueueRuntime& q = queues_[queue];
  timers.clear(slot);
  mark_dirty(queue);
  switch (job.pending) {
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
      q.collecting.remove(collecting_key(slot), jobs.ready_seq(slot));
      break;
    case Pending::kParked:
      q.parked.erase(std::pair{-int{jobs.course(slot).parked_rank}, job.no});
      --parked_count_;
      break;
  }
}

void State::line_up(Slot slot) {
  const Job& job = jobs[slot];
  const bool ready = job.state == JobState::kPending && job.pending == Pending::kReady;
  if (ready) queues_[jobs.terms(slot).queue].ready.push(jobs, slot, false, group_name(slot));
}

// A batch takes one turn, with the first of its jobs.
void State::pass_turn(Slot slot) {
  const Job& job = jobs[slot];
  QueueRuntime& q = queues_[jobs.terms(slot).queue];
  if (job.batch_place == 0 || q.in_hand.jobs(jobs.batch(slot)) == 0) q.ready.pass_turn(jobs, slot);
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
  const Job& job = jobs[slot];
  const JobCourse& course = jobs.course(slot);
  QueueRuntime& q = queues_[jobs.terms(slot).queue];
  ++q.active;
  if (job.batch_place == 0 || q.in_hand.take(jobs.batch(slot))) {
    ++q.turns_out;
    q.consumers.spend({course.holder, course.subscription});
  }
  hold(slot);
}

void State::hold(Slot slot) {
  Job& job = jobs[slot];
  HeldJobs& list = held_[jobs.course(slot).holder];
  job.line_prev = kNoSlot;
  job.line_next = list.head;
  if (list.head != kNoSlot) jobs[list.head].line_prev = slot;
  list.head = slot;
  ++list.count;
  jobs.state_changed(slot);
}

void State::let_go(Slot slot) {
  Job& job = jobs[slot];
  const JobCourse& course = jobs.course(slot);
  HeldJobs& list = held_[course.holder];
  (job.line_prev != kNoSlot ? jobs[job.line_prev].line_next : list.head) = job.line_next;
  if (job.line_next != kNoSlot) jobs[job.line_next].line_prev = job.line_prev;
  job.line_prev = job.line_next = kNoSlot;
  if (--list.count == 0) held_.erase(course.holder);
  timers.clear(slot);
  const QueueNo queue = jobs.terms(slot).queue;
  QueueRuntime& q = queues_[queue];
  --q.active;
  mark_dirty(queue);
  if (job.batch_place != 0 && !q.in_hand.give_back(jobs.batch(slot))) return;
  --q.turns_out;
  if (PQD_CANARY("credit-leak") && course.cancel_requested) return;
  if (const auto* types = q.consumers.give_back({course.holder, course.subscription})) {
    if (types->empty()) q.ready.warm_all();
    for (const TypeNo type : *types) q.ready.warm(type);
  }
}

// An urgent submit does not overtake its ordering key on the way in either.
uint8_t State::parked_rank(Slot slot) const {
  const JobTerms& terms = jobs.terms(slot);
  if (!terms.keyed) return terms.rank();
  const Slot before = queues_[terms.queue].keys.before(ordering_key(slot), jobs[slot].no);
  if (before == kNoSlot) return terms.rank();
  const Job& other = jobs[before];
  const bool parked = other.state == JobState::kPending && other.pending == Pending::kParked;
  return parked ? std::min(terms.rank(), jobs.course(before).parked_rank) : terms.rank();
}

// The parked submits behind one of their key that waits for room no more go by their own ranks again.
void State::rerank_parked(QueueNo queue, std::string_view key, JobNo left) {
  QueueRuntime& q = queues_[queue];
  for (Slot at = q.keys.after(key, left); at != kNoSlot; at = q.keys.after(key, jobs[at].no)) {
    const Job& job = jobs[at];
    const bool parked = job.state == JobState::kPending && job.pending == Pending::kParked;
    const uint8_t rank = parked ? parked_rank(at) : uint8_t{0};
    if (!parked || rank == jobs.course(at).parked_rank) return;  // what stands behind depends on it alone
    q.parked.erase(std::pair{-int{jobs.course(at).parked_rank}, job.no});
    jobs.set_parked_rank(at, rank);
    q.parked.emplace(std::pair{-int{rank}, job.no}, at);
  }
}

void State::enter_line(Slot slot) {
  const JobTerms& terms = jobs.terms(slot);
  if (terms.keyed) queues_[terms.queue].keys.add(ordering_key(slot), jobs[slot].no, slot);
}

void State::leave_line(Slot slot) {
  const JobTerms& terms = jobs.terms(slot);
  if (!terms.keyed) return;
  const Slot next = queues_[terms.queue].keys.remove(ordering_key(slot), jobs[slot].no);
  if (next == kNoSlot) return;
  const Job& waiting = jobs[next];
  if (waiting.state == JobState::kPending && waiting.pending == Pending::kHeld)
    key_turns_.push_back(waiting.no);
}

void State::count_in(Slot slot) { queues_[jobs.terms(slot).queue].bytes += jobs[slot].payload_bytes; }

void State::count_out(Slot slot) {
  const QueueNo queue = jobs.terms(slot).queue;
  queues_[queue].bytes -= jobs[slot].payload_bytes;
  mark_dirty(queue);
}

ByteView State::record(Slot slot) const {
  const Job& job = jobs[slot];
  if (!blocks.is_away(job.record.block)) return blocks.view(job.record);
  auto found = read_back_.find(job.no);
  if (!found) {
    read_back_ = records_->find_records(job.no, job.id);
    found = read_back_.find(job.no);
  }
  if (!found) std::abort();
  return *found;
}

RecordRef State::bring_back(Slot slot) {
  const Job& wanted = jobs[slot];
  if (!blocks.is_away(wanted.record.block)) return wanted.record;
  const bool read_lately = read_back_.find(wanted.no).has_value();
  RecordsRead read =
      read_lately ? std::exchange(read_back_, {}) : records_->find_records(wanted.no, wanted.id);
  const BlockNo block = blocks.adopt_wanted(std::move(read.bytes));
  for (const auto& [no, record] : read.jobs) {
    const Slot at = jobs.find(no);
    if (at == kNoSlot || !record_is_away(at)) continue;
    blocks.add_record(block);
    blocks.drop_record(std::exchange(jobs[at].record, {block, record}).block);
  }
  blocks.let_read_back_go(record_bytes_max);
  blocks.drop_user(block);
  return wanted.record;
}

std::string State::ordering_key(Slot slot) const {
  const auto submit = read_submit_record(record(slot));
  if (!submit) std::abort();
  return std::string(submit->ordering_key);
}

std::string State::group_name(Slot slot) const {
  const JobTerms& terms = jobs.terms(slot);
  const Fairness fair = tables.queue(terms.queue).settings.fair;
  if (fair == Fairness::kOff) return {};
  if (fair == Fairness::kKey) return ordering_key(slot);
  const auto submit = read_submit_record(record(slot));
  if (!submit) std::abort();
  return user_text(terms.owner_uid, submit->subject);
}

CollectingKey State::collecting_key(Slot slot) const {
  return {jobs.terms(slot).type, is_memory(jobs[slot].no), group_name(slot)};
}

}  // namespace pqd
