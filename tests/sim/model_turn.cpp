// The model's end of a turn: what is due, who is admitted, and whether the jobs went to whom they should.
#include <algorithm>

#include "tests/sim/model.h"

namespace pqd::sim {
namespace {

// Timers have millisecond grain, rounded up.
bool is_due(TimeNs deadline, TimeNs now) {
  return deadline != 0 && (deadline + kMillisecondNs - 1) / kMillisecondNs <= now / kMillisecondNs;
}

}  // namespace

void Model::receipt(SessionNo session, uint8_t lane, uint64_t seq, Error error, uint8_t flags,
                    const JobId& id, uint32_t retry_after_ms) {
  // A session that has gone is told nothing.
  if (sessions_.contains(session))
    receipts_.push_back({{session, lane, seq, static_cast<uint8_t>(error), flags, retry_after_ms, id}, {}});
}

void Model::refuse(SessionNo session, uint8_t lane, uint64_t seq, Error error, const JobId& id,
                   uint32_t retry_after_ms) {
  receipt(session, lane, seq, error, 0, id, retry_after_ms);
}

void Model::judge_receipts(std::span<const ReceiptEffect> receipts) {
  const std::vector<Expected> expected = std::exchange(receipts_, {});
  for (size_t i = 0; i < std::max(expected.size(), receipts.size()); ++i) {
    require(i < receipts.size(),
            "a receipt is missing: ", error_name(static_cast<Error>(expected[i].receipt.code)), " for job ",
            expected[i].receipt.id, " flags ", int{expected[i].receipt.flags});
    const auto& [number, got] = receipts[i];
    require(i < expected.size(), "a receipt that nobody expects: ", error_name(static_cast<Error>(got.code)),
            " for job ", got.id, " flags ", int{got.flags}, " record ", got.seq, " of lane ", int{got.lane});
    const ReceiptIssued& want = expected[i].receipt;
    require(got.session == want.session && got.lane == want.lane && got.seq == want.seq && got.id == want.id,
            "a receipt to session ", got.session, " about record ", got.seq, " of lane ", int{got.lane},
            " instead of session ", want.session, " record ", want.seq, " lane ", int{want.lane}, " job ",
            want.id);
    require(got.code == want.code && got.flags == want.flags, "the receipt of job ", got.id, " says ",
            error_name(static_cast<Error>(got.code)), " flags ", int{got.flags}, ", not ",
            error_name(static_cast<Error>(want.code)), " flags ", int{want.flags});
    const auto code = static_cast<Error>(got.code);
    const bool passes = code == Error::kQueueFull || code == Error::kUnavailable || code == Error::kNoSpace;
    const bool said = code == Error::kRateLimitExceeded
                          ? got.retry_after_ms == want.retry_after_ms
                          : (got.retry_after_ms != 0) == (passes && got.lane != kControlLane);
    require(said, "retry_after is ", got.retry_after_ms, " beside ", error_name(code));
    require(number == ++sessions_.at(got.session).receipts, "receipt ", number, " of session ", got.session,
            " is out of order");
  }
}

void Model::judge_redelivered(std::span<const DeliveryEffect> deliveries) {
  const auto expected = std::exchange(redelivered_, {});
  require(expected.size() == deliveries.size(), deliveries.size(), " deliveries at a resume, not ",
          expected.size());
  for (size_t i = 0; i < deliveries.size(); ++i) {
    const DeliveryEffect& d = deliveries[i];
    const ModelJob& job = live_.at(expected[i].second);
    require(d.session == expected[i].first && d.id == job.id && d.token == job.token &&
                d.number == job.delivery_number && d.attempt == job.attempts,
            "job ", d.id, " was delivered at a resume where job ", job.id, " should be");
    const bool more =
        std::any_of(expected.begin() + static_cast<std::ptrdiff_t>(i) + 1, expected.end(),
                    [&](const auto& later) { return live_.at(later.second).batch == job.batch; });
    require(d.batch == job.batch_told && d.batch_last == (job.batch != 0 && !more), "job ", job.id,
            " was delivered again as part of another batch");
  }
}

void Model::judge_inherited(SessionNo session, uint64_t after, std::span<const DeliveryEffect> deliveries) {
  std::map<uint64_t, JobId> unseen;
  for (const auto& [id, job] : live_)
    if (job.held_by_consumer() && job.holder == session && job.delivery_number > after)
      unseen[job.delivery_number] = id;
  for (const auto& [number, id] : unseen) redelivered_.emplace_back(session, id);
  judge_redelivered(deliveries);
}

void Model::judge_notices(std::span<const CancelNotice> notices) {
  auto expected = std::exchange(notices_, {});
  require(expected.size() == notices.size(), notices.size(), " cancel notices, not ", expected.size());
  for (const CancelNotice& notice : notices) {
    const auto at = std::ranges::find(expected, std::pair(notice.session, notice.id));
    require(at != expected.end(), "a cancel notice for job ", notice.id, " went to session ", notice.session);
    expected.erase(at);
  }
}

void Model::become_ready(ModelJob& job) {
  job.ready_at = now_;
  job.ready_order = next_ready_order_++;
  if (job.mode == Mode::kBatch) {
    job.pending = Pending::kCollecting;
    job.deadline = now_ + queues_.at(job.queue).settings.batch_interval_ms * kMillisecondNs;
    return;
  }
  job.pending = Pending::kReady;
  job.group = group_of(job);
  job.deadline =
      job.queue_timeout_ms == 0 ? 0 : now_ + static_cast<TimeNs>(job.queue_timeout_ms) * kMillisecondNs;
}

bool Model::collect_together(const ModelJob& one, const ModelJob& other) const {
  return one.waits(Pending::kCollecting) && other.waits(Pending::kCollecting) && one.queue == other.queue &&
         one.type == other.type && one.in_memory() == other.in_memory() && group_of(one) == group_of(other);
}

// Up to batch_size of those that collect become ready together.
void Model::form_batch(const ModelJob& one_of_them) {
  std::map<uint64_t, ModelJob*> line;
  for (auto& [id, job] : live_)
    if (collect_together(job, one_of_them)) line[job.ready_order] = &job;
  const uint32_t size = queues_.at(one_of_them.queue).settings.batch_size;
  const uint64_t batch = next_ready_order_;
  for (auto at = line.begin(); at != line.end() && next_ready_order_ - batch < size; ++at) {
    ModelJob& job = *at->second;
    changed(job, ChangeKind::kReady, JobState::kPending);
    job.pending = Pending::kReady;
    job.batch = batch;
    job.group = group_of(job);
    job.ready_at = now_;
    job.ready_order = next_ready_order_++;
    job.deadline =
        job.queue_timeout_ms == 0 ? 0 : now_ + static_cast<TimeNs>(job.queue_timeout_ms) * kMillisecondNs;
  }
  regroup(one_of_them.queue);
}

// Which of two lines comes first when both are complete in one turn the rules leave open.
void Model::form_full_batches(const std::string& queue, const State& state) {
  const uint32_t size = queues_.at(queue).settings.batch_size;
  for (;;) {
    std::map<uint64_t, const ModelJob*> full;
    for (const auto& [id, job] : live_) {
      if (job.queue != queue || !job.waits(Pending::kCollecting)) continue;
      uint64_t together = 0;
      bool first = true;
      for (const auto& [other_id, other] : live_) {
        if (!collect_together(job, other)) continue;
        ++together;
        first &= other.ready_order >= job.ready_order;
      }
      const Slot slot = state.jobs.find(id);
      if (first && together >= size) full[slot == kNoSlot ? 0 : state.jobs.ready_seq(slot)] = &job;
    }
    if (full.empty()) return;
    form_batch(*full.begin()->second);
  }
}

void Model::timer_due(ModelJob& job) {
  // Those that were released stand before it, and may fill a batch.
  if (job.waits(Pending::kCollecting)) {
    while (job.waits(Pending::kCollecting)) form_batch(job);
    return;
  }
  if (job.held_by_consumer()) {
    ModelSession& holder = sessions_.at(job.holder);
    holder.lost.push_back(job.id);
    if (holder.away_until == 0) {
      while (holder.lost.size() > kLostLeasesKept) holder.lost.pop_front();
      if (!job.cancel_requested) notices_.emplace_back(job.holder, job.id);
    }
    return end_attempt(job, Reason::kLeaseExpired, {});
  }
  if (job.pending == Pending::kReady) return finish(job, JobState::kTimeout, Reason::kQueueTimeout);
  if (!job.parked()) {
    changed(job, ChangeKind::kReady, JobState::kPending);
    become_ready(job);
    return regroup(job.queue);
  }
  receipt(job.submitter, job.lane, job.seq, Error::kQueueFull, kReceiptVerdict, job.id);
  forget_parked(JobId(job.id));
}

void Model::give_key_turns() {
  for (const JobId& id : std::exchange(key_turns_, {})) {
    const auto at = live_.find(id);
    if (at == live_.end() || !at->second.waits(Pending::kHeld) || !first_of_key(at->second)) continue;
    ModelJob& job = at->second;
    if (job.not_before <= now_) {
      changed(job, ChangeKind::kReady, JobState::kPending);
      become_ready(job);
      regroup(job.queue);
    } else {
      job.pending = Pending::kScheduled;
      job.deadline = job.not_before;
    }
  }
}

// Those that stood behind a job of durability `memory` have its turn, key by key.
void Model::give_turns_to_firsts() {
  std::map<std::string, JobId> firsts;
  for (const auto& [id, job] : live_)
    if (job.waits(Pending::kHeld) && first_of_key(job)) firsts[job.key + '/' + job.queue] = id;
  for (const auto& [key, id] : firsts) key_turns_.push_back(id);
  give_key_turns();
}

std::map<JobId, uint8_t> Model::parked_ranks() const {
  std::map<uint64_t, const ModelJob*> by_arrival;
  for (const auto& [id, job] : live_) by_arrival[job.arrival] = &job;
  std::map<JobId, uint8_t> ranks;
  std::map<std::pair<std::string, std::string>, const ModelJob*> last;  // of each key's line
  for (const auto& [arrival, job] : by_arrival) {
    if (job->parked()) ranks[job->id] = job->rank();
    if (job->key.empty()) continue;
    const ModelJob*& before = last[{job->queue, job->key}];
    if (job->parked() && before != nullptr && before->parked())
      ranks[job->id] = std::min(job->rank(), ranks[before->id]);
    before = job;
  }
  return ranks;
}

void Model::admit(const std::string& queue) {
  for (;;) {
    ModelJob* next = nullptr;
    if (!anybody_parked(queue)) return;
    const std::map<JobId, uint8_t> ranks = parked_ranks();
    for (auto& [id, job] : live_) {
      if (job.queue != queue || !job.parked()) continue;
      const auto place = [&ranks](const ModelJob& j) { return std::pair(-ranks.at(j.id), j.arrival); };
      if (next == nullptr || place(job) < place(*next)) next = &job;
    }
    if (next == nullptr || !has_room(queue, 1, next->payload.size())) return;
    receipt(next->submitter, next->lane, next->seq, Error::kOk, kReceiptVerdict, next->id);
    changed(*next, ChangeKind::kSubmitted, JobState::kPending);
    next->deadline = 0;
    if (!first_of_key(*next)) {
      next->pending = Pending::kHeld;
    } else if (next->not_before > now_) {
      next->pending = Pending::kScheduled;
      next->deadline = next->not_before;
    } else {
      become_ready(*next);
      regroup(queue);
    }
  }
}

void Model::end_turn(std::span<const ReceiptEffect> receipts, std::span<const DeliveryEffect> deliveries,
                     const State& state) {
  std::vector<SessionNo> overdue;
  for (const auto& [number, session] : sessions_)
    if (session.away_until != 0 && session.away_until <= now_) overdue.push_back(number);
  for (const SessionNo number : overdue) close_session(number);
  adopt_jitter(state);
  for (bool any = true; any;) {
    std::vector<std::pair<std::pair<TimeNs, uint64_t>, JobId>> due;
    for (const auto& [id, job] : live_) {
      const TimeNs tick = (job.deadline + kMillisecondNs - 1) / kMillisecondNs;
      if (is_due(job.deadline, now_)) due.push_back({{tick, job.arrival}, id});
    }
    std::ranges::sort(due);
    // One that became ready with another's batch waits for something else by now.
    for (const auto& [order, id] : due)
      if (is_due(live_.at(id).deadline, now_)) timer_due(live_.at(id));
    any = !due.empty();
    adopt_jitter(state);
  }
  give_key_turns();
  fire_schedules();
  // Queues are looked at in any order, each of them whole.
  std::map<std::string, std::vector<Expected>> verdicts;
  const std::vector<Expected> before = std::exchange(receipts_, {});
  std::map<JobId, std::string> queue_of;
  for (const auto& [id, job] : live_) queue_of[id] = job.queue;
  for (const auto& [name, queue] : queues_) {
    admit(name);
    form_full_batches(name, state);
    verdicts[name] = std::exchange(receipts_, {});
  }
  receipts_ = before;
  for (size_t i = before.size(); i < receipts.size(); ++i) {
    auto& mine = verdicts[queue_of[receipts[i].receipt.id]];
    if (mine.empty()) continue;
    receipts_.push_back(mine.front());
    mine.erase(mine.begin());
  }
  for (const auto& [name, left] : verdicts) receipts_.insert(receipts_.end(), left.begin(), left.end());
  judge_receipts(receipts);
  for (const DeliveryEffect& delivery : deliveries) judge_dispatch(delivery);
  require(rest_of_batch_.empty(), "a batch was delivered without some of its jobs");
  for (const auto& [name, queue] : queues_)
    require(!may_dispatch(name), "a ready job of queue ", name,
            " stands beside a consumer that could have it");
}

uint64_t Model::active(const std::string& queue) const {
  uint64_t count = 0;
  std::set<uint64_t> batches;
  for (const auto& [id, job] : live_)
    if (job.queue == queue && job.held_by_consumer())
      count += job.batch == 0 || batches.insert(job.batch).second ? 1u : 0u;
  return count;
}

std::vector<Model::Subscriber> Model::subscribers(const std::string& queue) const {
  std::map<std::pair<SessionNo, uint32_t>, uint64_t> used;
  std::set<std::tuple<SessionNo, uint32_t, uint64_t>> batches;
  for (const auto& [id, job] : live_) {
    if (!job.held_by_consumer() || job.queue != queue) continue;
    const bool counts = job.batch == 0 || batches.emplace(job.holder, job.subscription, job.batch).second;
    used[{job.holder, job.subscription}] += counts ? 1u : 0u;
  }
  std::vector<Subscriber> list;
  for (const auto& [session, entry] : sessions_) {
    for (const auto& [number, subscription] : entry.subscriptions) {
      if (subscription.queue != queue) continue;
      const auto at = used.find({session, number});
      const bool has_credit = (at == used.end() ? 0 : at->second) < subscription.credits;
      list.push_back({session, number, &subscription, has_credit});
    }
  }
  return list;
}

std::vector<Taker> Model::takers(const std::string& queue, const std::string& type) const {
  std::vector<Taker> list;
  for (const auto& [session, number, subscription, has_credit] : subscribers(queue)) {
    const bool takes = subscription->types.empty() || subscription->types.contains(type);
    if (takes && has_credit) list.push_back({session, number, subscription->types.empty()});
  }
  return list;
}

Model::Wanted Model::wanted(const std::string& queue) const {
  Wanted wanted;
  for (const auto& [session, number, subscription, has_credit] : subscribers(queue)) {
    if (!has_credit) continue;
    wanted.every_type |= subscription->types.empty();
    wanted.types.insert(subscription->types.begin(), subscription->types.end());
  }
  return wanted;
}

bool Model::may_dispatch(const std::string& name) const {
  const ModelQueue& queue = queues_.at(name);
  if (queue.paused) return false;
  if (queue.settings.max_active != 0 && active(name) >= queue.settings.max_active) return false;
  const Wanted types = wanted(name);
  return std::ranges::any_of(live_, [&](const auto& entry) {
    const ModelJob& job = entry.second;
    return job.queue == name && job.waits(Pending::kReady) && types.has(job.type);
  });
}

void Model::note_exhausted(const std::string& queue) {
  for (const auto& [session, number, subscription, has_credit] : subscribers(queue))
    if (!has_credit) queues_.at(queue).turns.exhausted({session, number, subscription->types.empty()});
}

void Model::members_changed(const std::string& queue) { queues_.at(queue).turns.members_changed(); }

void Model::judge_dispatch(const DeliveryEffect& delivery) {
  const auto at = live_.find(delivery.id);
  require(at != live_.end() && at->second.waits(Pending::kReady), "job ", delivery.id,
          " was delivered and is not ready");
  ModelJob& job = at->second;
  if (rest_of_batch_.empty()) {
    judge_turn(job, delivery);
    std::map<uint64_t, JobId> rest;
    for (const auto& [id, other] : live_)
      if (job.batch != 0 && other.batch == job.batch && other.waits(Pending::kReady) && id != job.id)
        rest[other.ready_order] = id;
    for (const auto& [order, id] : rest) rest_of_batch_.push_back(id);
    const bool known = std::ranges::any_of(live_, [&](const auto& entry) {
      return delivery.batch != 0 && entry.second.batch_told == delivery.batch;
    });
    require((delivery.batch != 0) == (job.batch != 0) && !known, "job ", job.id,
            " was delivered as part of a batch that it is not in");
    batch_told_ = delivery.batch;
    batch_taker_ = {delivery.session, delivery.subscription, false};
  } else {
    require(job.id == rest_of_batch_.front() && delivery.batch == batch_told_ &&
                batch_taker_ == Taker{delivery.session, delivery.subscription, false},
            "job ", job.id, " was delivered in the middle of a batch, before job ", rest_of_batch_.front());
    rest_of_batch_.erase(rest_of_batch_.begin());
  }
  require(delivery.batch_last == (job.batch != 0 && rest_of_batch_.empty()), "job ", job.id,
          delivery.batch_last ? " was" : " was not", " called the last of its batch");
  job.batch_told = delivery.batch;
  give(job, delivery);
}

void Model::judge_turn(const ModelJob& job, const DeliveryEffect& delivery) {
  ModelQueue& queue = queues_.at(job.queue);
  require(!queue.paused, "job ", job.id, " was delivered from a paused queue");
  require(queue.settings.max_active == 0 || active(job.queue) < queue.settings.max_active, "job ", job.id,
          " was delivered beyond max_active ", queue.settings.max_active);
  const Wanted types = wanted(job.queue);
  uint8_t rank = 0;
  const ModelJob* longest = &job;
  std::vector<const ModelJob*> line;
  for (const auto& [id, other] : live_) {
    if (other.queue != job.queue || !other.waits(Pending::kReady) || !types.has(other.type)) continue;
    if (other.rank() > rank) line.clear();
    rank = std::max(rank, other.rank());
    if (other.rank() == rank) line.push_back(&other);
    if (other.ready_order < longest->ready_order) longest = &other;
  }
  const auto fair = queue.fair.find(rank);
  const ModelJob* best = next_in_turn(line, fair == queue.fair.end() ? nullptr : &fair->second);
  require(queue.turns.dispatched(queue.settings.starvation_guard, best == &job, longest == &job), "job ",
          job.id, " was delivered before its turn: job ", best->id, " is first by rank, job ", longest->id,
          " has waited longest");
  judge_consumer(queue, job, delivery);
  if (const auto own = queue.fair.find(job.rank()); own != queue.fair.end()) pass_turn(job, own->second);
}

void Model::give(ModelJob& job, const DeliveryEffect& delivery) {
  ModelSession& session = sessions_.at(delivery.session);
  require(delivery.number == ++session.deliveries, "delivery ", delivery.number, " of session ",
          delivery.session, " is out of order");
  require(delivery.token.epoch == epoch_ && delivery.token.lease > last_lease_, "the lease of job ", job.id,
          " is not new");
  last_lease_ = delivery.token.lease;
  job.state = JobState::kAssigned;
  job.holder = delivery.session;
  job.subscription = delivery.subscription;
  job.delivery_number = delivery.number;
  job.token = delivery.token;
  job.progress = 0;
  ++job.attempts;
  job.deadline = now_ + static_cast<TimeNs>(job.lease_ms) * kMillisecondNs;
  changed(job, ChangeKind::kAssigned, JobState::kAssigned);
  require(delivery.attempt == job.attempts && delivery.max_attempts == job.max_attempts, "job ", job.id,
          " was delivered as attempt ", delivery.attempt, " of ", delivery.max_attempts, ", not ",
          job.attempts, " of ", job.max_attempts);
  require(job.attempts <= job.max_attempts, "job ", job.id, " has more attempts than it may");
  require(delivery.lease_until_ns == job.deadline, "the lease of job ", job.id, " ends at another time");
  require(delivery.owner_uid == job.owner, "job ", job.id, " was delivered as somebody else's");
  require(delivery.after_sync == (job.delivery == Delivery::kAtMostOnce && !job.in_memory()), "job ", job.id,
          ": an at-most-once delivery, and no other, waits for the sync");
  regroup(job.queue);
  note_exhausted(job.queue);
}

void Model::judge_consumer(ModelQueue& queue, const ModelJob& job, const DeliveryEffect& delivery) {
  const std::vector<Taker> able = takers(job.queue, job.type);
  const auto taker = std::ranges::find_if(able, [&](const Taker& t) {
    return t.session == delivery.session && t.subscription == delivery.subscription;
  });
  require(taker != able.end(), "job ", job.id, " went to session ", delivery.session, " subscription ",
          delivery.subscription, ", which has no credit for its type");
  const std::string fault = queue.turns.took(job.type, *taker, able);
  require(fault.empty(), fault, ": job ", job.id, " went to session ", delivery.session);
  require(sessions_.at(delivery.session).away_until == 0, "job ", job.id, " went to a session that is away");
}

}  // namespace pqd::sim
