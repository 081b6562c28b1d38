#include "core/broker.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>

#include "core/canary.h"
#include "core/job_filter.h"
#include "core/lifecycle.h"

namespace pqd {

Broker::Broker(State& state, FinishedJobs& finished, BrokerOptions options)
    : state_(state), finished_(finished), options_(std::move(options)), random_(options_.seed | 1) {
  for (const auto& [user, rate] : options_.user_rates) {
    uint32_t uid = 0;
    const char* const end = user.data() + user.size();
    const auto [read_to, error] = std::from_chars(user.data(), end, uid);
    if (error == std::errc{} && read_to == end) uid_rates_.emplace(uid, rate);
  }
}

void Broker::begin_turn(TimeNs now, CommitBuilder& commit) {
  commit_ = &commit;
  state_.commit = commit.number();
  state_.apply(TimePassed{now});
  time_noted_ = false;
  journaled_lanes_.clear();
}

void Broker::end_turn() {
  close_overdue_sessions();
  state_.timers.advance(now(), [this](Slot slot) { timer_due(slot); });
  give_key_turns();
  fire_schedules();
  for (const QueueNo queue : state_.take_dirty()) {
    admit_parked(queue);
    form_full_batches(queue);
    dispatch(queue);
  }
  note_charges();
  if (!PQD_CANARY("position-behind-receipts")) journal_positions();
  commit_ = nullptr;
}

void Broker::start_epoch(uint32_t epoch) {
  emit(EpochStarted{epoch});
  state_.set_weights(options_.weights);
  const auto make_missing = [this](std::string_view name) {
    if (!state_.tables.find_queue(name) && may_make_queue(name)) make_queue(name);
  };
  make_missing("default");
  for (const auto& [name, settings] : options_.queues) make_missing(name);
  for (QueueNo queue = 0; queue < state_.tables.queue_count(); ++queue) {
    const QueueEntry& entry = state_.tables.queue(queue);
    const QueueSettings wanted = wanted_settings(entry);
    if (entry.settings != wanted) emit(QueueConfigured{queue, wanted});
  }
  give_turns_to_firsts();
}

// Jobs that stood behind one of durability `memory`, which is gone with the last engine, have their turn.
void Broker::give_turns_to_firsts() {
  std::vector<JobNo> firsts;
  for (QueueNo queue = 0; queue < state_.tables.queue_count(); ++queue) {
    std::string_view before;
    bool any = false;
    state_.queue(queue).keys.for_each([&](std::string_view key, Slot slot) {
      const bool first = !any || key != before;
      any = true;
      before = key;
      const Job& job = state_.jobs[slot];
      if (first && job.state == JobState::kPending && job.pending == Pending::kHeld) firsts.push_back(job.no);
    });
  }
  if (PQD_CANARY("held-behind-what-is-gone")) firsts.clear();
  for (const JobNo job : firsts) {
    const TimeNs start_ns = state_.jobs.times(state_.jobs.find(job)).start_after_ns;
    emit(KeyTurn{job, start_ns <= now() ? state_.tables.next_ready_seq : 0});
  }
}

std::optional<TimeNs> Broker::next_timer_ns() const {
  auto next = state_.timers.next_ns();
  for (const auto& [session, until] : expected_) next = std::min(next.value_or(until), until);
  if (const auto due = state_.tables.schedules().next_due_ns(now()))
    next = std::min(next.value_or(*due), *due);
  if (fire_again_ns_ != 0) next = std::min(next.value_or(fire_again_ns_), fire_again_ns_);
  return next;
}

void Broker::expect_return(SessionNo session, TimeNs until) {
  const SessionEntry* entry = state_.tables.session(session);
  if (entry == nullptr) return;
  expected_[session] = until;
  // Whoever comes back subscribes anew; until then a job given to it would wait, or be lost, for nobody.
  while (!entry->subscriptions.empty()) emit(Unsubscribed{session, entry->subscriptions.back().number});
}

void Broker::close_overdue_sessions() {
  for (auto at = expected_.begin(); at != expected_.end();) {
    const SessionNo session = at->first;
    if (at->second > now()) {
      ++at;
      continue;
    }
    at = expected_.erase(at);
    close_session(session);
  }
}

void Broker::open_session(const SessionOpened& session, std::span<const uint32_t> groups) {
  rights_[session.session] = Rights(options_.access, session.uid, groups);
  emit(session);
}

void Broker::know_session(SessionNo session, std::span<const uint32_t> groups) {
  const SessionEntry* entry = state_.tables.session(session);
  if (entry == nullptr) return;
  const Rights& rights = rights_[session] = Rights(options_.access, entry->uid, groups);
  std::vector<uint32_t> lost;
  for (const SubscriptionEntry& subscription : entry->subscriptions) {
    std::vector<std::string_view> types;
    for (const TypeNo type : subscription.types) types.push_back(state_.tables.type(type));
    if (!rights.may_consume(state_.tables.queue(subscription.queue).name, types))
      lost.push_back(subscription.number);
  }
  if (PQD_CANARY("lost-role-kept")) lost.clear();
  for (const uint32_t number : lost) emit(Unsubscribed{session, number});
}

const Rights& Broker::rights(SessionNo session) const {
  static const Rights kNothing;
  const auto found = rights_.find(session);
  return found != rights_.end() ? found->second : kNothing;
}

void Broker::close_session(SessionNo session) {
  rights_.erase(session);
  lost_.erase(session);
  if (state_.tables.session(session) == nullptr) return;
  std::vector<std::pair<uint64_t, Slot>> held;
  for (Slot slot = state_.held(session).head; slot != kNoSlot; slot = state_.jobs[slot].line_next)
    held.emplace_back(arrival(state_.jobs[slot].no), slot);
  // In the order of arrival, which is the same after a recovery.
  std::sort(held.begin(), held.end());
  for (const auto& [came, slot] : held) end_attempt(slot, Reason::kConsumerDied, {});
  emit(SessionClosed{session});
}

// The session that carries what the client knows as `claimed`: that one, or one that had taken it over and
// that the client never heard of, so that it has seen none of its deliveries either. 0 = none.
SessionNo Broker::heir_of(SessionNo claimed, const ShortHash& proof, uint32_t uid) const {
  const SessionEntry* itself = state_.tables.session(claimed);
  if (itself != nullptr) return itself->secret_hash == proof && itself->uid == uid ? claimed : 0;
  for (const auto& [number, until] : expected_) {
    const SessionEntry* heir = state_.tables.session(number);
    if (heir == nullptr || heir->resumed_from != claimed || heir->uid != uid) continue;
    if (heir->resumed_hash == proof) return number;
  }
  return 0;
}

bool Broker::resume_session(SessionNo claimed, SessionNo to, const ShortHash& proof,
                            uint64_t deliveries_seen) {
  const SessionEntry* later = state_.tables.session(to);
  const SessionNo from = later == nullptr ? 0 : heir_of(claimed, proof, later->uid);
  if (from == 0 || from == to) return false;
  if (from != claimed) deliveries_seen = 0;
  expected_.erase(from);
  tell_again_of_lost(from, to);
  std::vector<std::pair<uint64_t, Slot>> leases;
  for (Slot slot = state_.held(from).head; slot != kNoSlot; slot = state_.jobs[slot].line_next) {
    leases.emplace_back(state_.jobs.course(slot).delivery_no, slot);
  }
  std::sort(leases.begin(), leases.end());
  auto& deliveries = commit_->effects().deliveries;
  const size_t delivered_before = deliveries.size();
  for (const auto& [number, slot] : leases) {
    const bool unseen = number > deliveries_seen;
    emit(Reheld{state_.jobs[slot].no, to, unseen ? later->deliveries + 1 : 0});
    if (unseen) deliveries.push_back(delivery_of(slot));
    // Whatever the earlier session was told may have been lost with it.
    if (state_.jobs.course(slot).cancel_requested)
      commit_->effects().notices.push_back(notice_of(state_.jobs.core(slot)));
  }
  mark_batch_ends(std::span(deliveries).subspan(delivered_before));
  // Of a batch that was interrupted, those that would have come last may be in other hands by now.
  commit_->effects().batch_ends.push_back(to);
  emit(SessionResumed{from, to, claimed});
  rights_.erase(from);
  commit_->require_sync();
  return true;
}

std::vector<DeliveryEffect> Broker::deliveries_after(SessionNo session, uint64_t after) {
  std::vector<DeliveryEffect> list;
  for (Slot slot = state_.held(session).head; slot != kNoSlot; slot = state_.jobs[slot].line_next) {
    if (state_.jobs.course(slot).delivery_no > after) list.push_back(delivery_of(slot));
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  mark_batch_ends(list);
  return list;
}

void Broker::lane_advanced(SessionNo session, uint8_t lane, const LanePosition& position,
                           bool behind_receipts) {
  const bool journaled =
      std::ranges::find(journaled_lanes_, std::pair(session, lane)) != journaled_lanes_.end();
  if (journaled || behind_receipts) emit(LaneAdvanced{session, lane, position.seq, position.bytes});
  commit_->effects().lanes.push_back({session, lane, position});
}

// Of the sessions that this commit has receipts for, in whichever of its turns those and the records came.
void Broker::journal_positions() {
  const Effects& effects = commit_->effects();
  if (effects.receipts.empty()) return;
  std::set<SessionNo> told;
  for (const ReceiptEffect& effect : effects.receipts) told.insert(effect.receipt.session);
  for (const LaneEffect& effect : effects.lanes) {
    const SessionEntry* session =
        told.contains(effect.session) ? state_.tables.session(effect.session) : nullptr;
    if (session != nullptr && effect.position.seq > session->lanes[effect.lane].seq)
      emit(LaneAdvanced{effect.session, effect.lane, effect.position.seq, effect.position.bytes});
  }
}

void Broker::must_journal(const Origin& origin) {
  const std::pair lane(origin.session, origin.lane);
  if (!journaled_lanes_.empty() && journaled_lanes_.back() == lane) return;
  if (std::ranges::find(journaled_lanes_, lane) == journaled_lanes_.end()) journaled_lanes_.push_back(lane);
}

void Broker::deliveries_counted(SessionNo session, uint64_t count) {
  const SessionEntry* entry = state_.tables.session(session);
  if (entry != nullptr && count > entry->deliveries) emit(DeliveriesCounted{session, count});
}

BlobRef Broker::add_blob(const JobCore& job, ByteView bytes) {
  return is_memory(job.no) ? BlobRef{0, static_cast<uint32_t>(bytes.size())} : commit_->add_blob(bytes);
}

void Broker::receipts_taken(SessionNo session, uint64_t count) { emit(ReceiptsTaken{session, count}); }

void Broker::refuse_record(SessionNo session, uint8_t lane, uint64_t seq, Error error, uint8_t kind) {
  must_journal({session, lane, seq});
  refuse({session, lane, seq}, error, kind, {});
}

void Broker::refuse(const Origin& origin, Error error, uint8_t kind, const JobId& id,
                    uint32_t retry_after_ms) {
  emit(Refused{origin.session, origin.lane, origin.seq, static_cast<uint8_t>(error), kind, id});
  receipt(origin, error, 0, id, retry_after_ms);
  commit_->require_sync();
}

void Broker::receipt(const Origin& origin, Error error, uint8_t flags, const JobId& id,
                     uint32_t retry_after_ms) {
  const ReceiptIssued issued{origin.session, origin.lane,    origin.seq, static_cast<uint8_t>(error),
                             flags,          retry_after_ms, id};
  emit(issued);
  const SessionEntry* session = state_.tables.session(origin.session);
  if (session != nullptr) commit_->effects().receipts.push_back({session->receipts, issued});
}

void Broker::timer_due(Slot slot) {
  const Job& job = state_.jobs[slot];
  if (job.state != JobState::kPending) {
    tell_lease_lost(slot);
    return end_attempt(slot, Reason::kLeaseExpired, {});
  }
  switch (job.pending) {
    case Pending::kReady:
      emit(TimedOut{job.no});
      return recent_.failed(now());
    case Pending::kScheduled:
    case Pending::kBackoff:
      return emit(Readied{job.no, state_.tables.next_ready_seq});
    case Pending::kParked:
      return refuse_parked(slot);
    case Pending::kCollecting:
      // Released jobs keep their places before it and wait anew: they may fill a batch without it.
      while (job.state == JobState::kPending && job.pending == Pending::kCollecting)
        form_batch(state_.jobs.terms(slot).queue, state_.collecting_key(slot));
      return;
    case Pending::kHeld:
      std::abort();  // it has no timer
  }
}

// Its holder goes on with the job otherwise, beside whoever has it next. What it is told it may never read:
// it has left its session, and the daemon does not know yet. So it is remembered for when it comes back.
void Broker::tell_lease_lost(Slot slot) {
  const JobCore core = state_.jobs.core(slot);
  const CancelNotice notice = notice_of(core);
  std::deque<CancelNotice>& lost = lost_[core.holder];
  lost.push_back(notice);
  if (expected_.contains(core.holder)) return;  // at most those that it went with
  while (lost.size() > kLostLeasesKept) lost.pop_front();
  if (!core.cancel_requested) commit_->effects().notices.push_back(notice);  // else it has been told to stop
}

// And remembered on: `to` may be as unheard of by its client.
void Broker::tell_again_of_lost(SessionNo from, SessionNo to) {
  auto lost = lost_.extract(from);
  if (!lost) return;
  for (CancelNotice& notice : lost.mapped()) {
    notice = {to, notice.token, notice.id};
    commit_->effects().notices.push_back(notice);
  }
  lost.key() = to;
  lost_.insert(std::move(lost));
}

void Broker::refuse_parked(Slot slot) {
  const JobCore core = state_.jobs.core(slot);
  const Origin origin{core.submitter, static_cast<uint8_t>(core.subscription), core.lease};
  drop_parked(core.no, Error::kQueueFull);
  receipt(origin, Error::kQueueFull, kReceiptVerdict, core.id, 1000);
  if (core.durability == Durability::kFsync) commit_->require_sync();
}

void Broker::admit_parked(QueueNo queue) {
  const auto& parked = state_.queue(queue).parked;
  while (!parked.empty()) {
    const Slot slot = parked.begin()->second;
    const JobCore core = state_.jobs.core(slot);
    if (!has_room(queue, 1, core.payload_bytes)) return;
    const bool ready = core.start_after_ns <= now();
    const bool held = core.keyed && state_.queue(queue).keys.first(state_.ordering_key(slot)) != slot;
    emit(Admitted{core.no, ready && !held ? state_.tables.next_ready_seq : 0, held});
    receipt({core.submitter, static_cast<uint8_t>(core.subscription), core.lease}, Error::kOk,
            kReceiptVerdict, core.id);
    if (core.durability == Durability::kFsync) commit_->require_sync();
  }
}

bool Broker::key_is_taken(QueueNo queue, std::string_view ordering_key) const {
  if (ordering_key.empty()) return false;
  const Slot first = state_.queue(queue).keys.first(ordering_key);
  if (PQD_CANARY("key-released-early") && first != kNoSlot && state_.jobs.course(first).attempts > 0)
    return false;
  return first != kNoSlot;
}

// The first of a key's line was finished for good: the next one has its turn.
void Broker::give_key_turns() {
  for (const JobNo job : state_.take_key_turns()) {
    const Slot slot = state_.jobs.find(job);
    if (slot == kNoSlot) continue;
    const Job& waiting = state_.jobs[slot];
    // It may have been cancelled since, or stand behind another again.
    if (waiting.state != JobState::kPending || waiting.pending != Pending::kHeld) continue;
    if (state_.queue(state_.jobs.terms(slot).queue).keys.first(state_.ordering_key(slot)) != slot) continue;
    const TimeNs start_ns = state_.jobs.times(slot).start_after_ns;
    emit(KeyTurn{job, start_ns <= now() ? state_.tables.next_ready_seq : 0});
  }
}

void Broker::dispatch(QueueNo queue) {
  QueueRuntime& q = state_.queue(queue);
  const QueueEntry& entry = state_.tables.queue(queue);
  if (entry.paused) return;
  const uint64_t active_max = entry.settings.max_active == 0 ? UINT64_MAX : entry.settings.max_active;
  const uint32_t guard = entry.settings.starvation_guard;
  const auto wanted = [&q](TypeNo type) { return q.consumers.wants(type); };
  while (q.turns_out < active_max + (PQD_CANARY("max-active-off-by-one") ? 1u : 0u)) {
    const bool longest =
        guard != 0 && !PQD_CANARY("starvation-guard-ignored") && (q.dispatches + 1) % guard == 0;
    const Slot slot =
        longest ? q.ready.longest_waiting(state_.jobs, wanted) : q.ready.best(state_.jobs, wanted);
    if (slot == kNoSlot) return;
    ++q.dispatches;
    const ConsumerKey to = *q.consumers.next(state_.jobs.terms(slot).type);
    state_.jobs[slot].batch_place == 0 ? assign(slot, to) : assign_batch(slot, to);
  }
}

void Broker::assign(Slot slot, const ConsumerKey& to) {
  const Job& job = state_.jobs[slot];
  const JobTerms& terms = state_.jobs.terms(slot);
  const SessionEntry* session = state_.tables.session(to.session);
  if (session == nullptr) std::abort();
  recent_.waited(now(), now() - state_.jobs.times(slot).ready_ns);
  const TimeNs until = now() + terms.processing_timeout_ms * kMillisecondNs;
  emit(Assigned{job.no, to.session, to.subscription, session->deliveries + 1, state_.tables.next_lease,
                until});
  if (terms.delivery == Delivery::kAtMostOnce && !is_memory(job.no)) commit_->require_sync();
  commit_->effects().deliveries.push_back(delivery_of(slot));
}

DeliveryEffect Broker::delivery_of(Slot slot) {
  const Job& job = state_.jobs[slot];
  const JobTerms& terms = state_.jobs.terms(slot);
  const JobCourse& course = state_.jobs.course(slot);
  DeliveryEffect effect;
  effect.session = course.holder;
  effect.number = course.delivery_no;
  effect.token = state_.jobs.token(slot);
  effect.id = job.id;
  effect.lease_until_ns = course.lease_until_ns;
  effect.subscription = course.subscription;
  effect.owner_uid = terms.owner_uid;
  effect.attempt = course.attempts;
  effect.max_attempts = terms.max_attempts;
  effect.batch = state_.jobs.batch(slot);
  effect.after_sync = terms.delivery == Delivery::kAtMostOnce && !is_memory(job.no);
  effect.record = state_.bring_back(slot);
  state_.blocks.add_user(effect.record.block);
  return effect;
}

bool Broker::may_see(const SessionEntry& session, const JobCore& job) const {
  return pqd::may_see({session.number, session.uid, rights(session.number).operates()}, job);
}

// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
uint64_t Broker::random_below(uint64_t bound) {
  random_ += 0x9E3779B97F4A7C15u;
  uint64_t z = random_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return bound == 0 ? 0 : z % bound;
}

}  // namespace pqd
