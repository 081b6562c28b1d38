// The broker's intake: checks, room, acceptance.
#include <algorithm>
#include <cstdlib>

#include "core/broker.h"
#include "core/canary.h"
#include "core/short_hash.h"

namespace pqd {
namespace {

// When it is worth trying again: these errors pass, the others do not.
uint32_t retry_after_ms(Error error) {
  const bool passes = error == Error::kQueueFull || error == Error::kUnavailable || error == Error::kNoSpace;
  return passes ? 1'000 : 0;
}

}  // namespace

bool Broker::has_room(QueueNo queue, uint64_t jobs, uint64_t bytes) const {
  const QueueRuntime& q = state_.queue(queue);
  const QueueSettings& settings = state_.tables.queue(queue).settings;
  return q.depth() + jobs <= settings.max_depth && q.bytes + bytes <= settings.max_bytes;
}

// What fits in its form and still cannot be had.
Error Broker::examine_wish(const SubmitView& view, const Rights& rights) const {
  if (!rights.may_submit(view.queue)) return Error::kUnauthorized;
  if (!view.subject.empty() && !rights.acts_for() && !PQD_CANARY("role-not-asked"))
    return Error::kUnauthorized;
  return Error::kOk;
}

// An id of this session must be new by its counter; one of an earlier session of the same user is looked up.
Error Broker::examine_id(Candidate& candidate) const {
  const SessionEntry& session = *state_.tables.session(candidate.origin.session);
  const JobId& id = candidate.view.head.id;
  if (!candidate.resubmitted()) {
    const uint8_t lane = candidate.origin.lane;
    const bool own = id.tag() == session.tag && id.lane() == lane;
    return own && id.counter() > session.last_counter[lane] ? Error::kOk : Error::kInvalidRequest;
  }
  if (state_.tables.uid_of_tag(id.tag()) != session.uid) return Error::kUnauthorized;
  const Slot live = state_.jobs.find(id);
  candidate.first = id;
  if (live == kNoSlot) {
    candidate.duplicate = finished_.find_finished(id).has_value();
    return Error::kOk;
  }
  if (state_.jobs.terms(live).owner_uid != session.uid) return Error::kUnauthorized;
  const Job& job = state_.jobs[live];
  const bool parked = job.state == JobState::kPending && job.pending == Pending::kParked;
  if (parked) candidate.replaces = job.no;
  candidate.duplicate = !parked;
  return Error::kOk;
}

// A resubmitted one that still waits for room is no job that could be called a duplicate: its verdict has to
// reach the session that asks now, so it takes the earlier one's place.
void Broker::drop_replaced(const Candidate& candidate) {
  if (candidate.replaces == 0 || state_.jobs.find(candidate.replaces) == kNoSlot) return;
  drop_parked(candidate.replaces, Error::kDuplicateRequest);
}

// A parked submit goes; its idempotency key leads nowhere then, unless the key was over meanwhile and leads
// to a later job.
void Broker::drop_parked(JobNo job, Error code) {
  const Slot slot = state_.jobs.find(job);
  const auto submit = read_submit_record(state_.record(slot));
  if (!submit) std::abort();
  const bool keyed = !submit->idempotency_key.empty();
  const ShortHash key = keyed ? key_hash(state_.jobs.terms(slot).owner_uid, *submit) : ShortHash{};
  const auto kept = keyed ? find_key(key) : std::nullopt;
  const bool its_own = kept && kept->first == state_.jobs[slot].id;
  refund_rate(slot);
  emit(ParkRefused{job, static_cast<uint8_t>(code)});
  if (its_own) emit(KeyFreed{key});
}

std::optional<KeptKey> Broker::find_key(const ShortHash& key) {
  std::optional<KeptKey> kept;
  if (const auto* known = state_.idempotency.find(key)) {
    if (!known->freed) kept = known->kept;
  } else {
    kept = finished_.find_key(key);
  }
  return kept && kept->expires_ns > now() ? kept : std::nullopt;
}

// Was there a submit under this key before, and was it the same?
void Broker::examine_key(Candidate& candidate) {
  const uint32_t uid = state_.tables.session(candidate.origin.session)->uid;
  candidate.key = key_hash(uid, candidate.view);
  candidate.payload_hash = short_hash(candidate.view.payload);
  candidate.content = content_hash(candidate.view, candidate.payload_hash);
  const auto kept = find_key(candidate.key);
  if (!kept || kept->first == candidate.view.head.id) return;
  candidate.first = kept->first;
  if (kept->content != candidate.content) {
    candidate.error = Error::kDuplicateRequest;
    return;
  }
  // While the first waits for room nobody can promise that there will be a job.
  const Slot live = state_.jobs.find(kept->first);
  const bool parked = live != kNoSlot && state_.jobs[live].state == JobState::kPending &&
                      state_.jobs[live].pending == Pending::kParked;
  if (parked)
    candidate.error = Error::kQueueFull;
  else
    candidate.duplicate = true;
}

// Two jobs of one atomic submit may have one key as well.
void Broker::examine_keys_within(std::span<Candidate> batch) const {
  std::map<ShortHash, const Candidate*> firsts;
  for (Candidate& c : batch) {
    if (c.error != Error::kOk || c.duplicate || c.view.idempotency_key.empty()) continue;
    const auto [found, fresh] = firsts.try_emplace(c.key, &c);
    if (fresh) continue;
    c.first = found->second->view.head.id;
    c.duplicate = found->second->content == c.content;
    if (!c.duplicate) c.error = Error::kDuplicateRequest;
  }
}

Broker::Candidate Broker::examine(const Origin& origin, const BlobRef& record) {
  Candidate candidate{.origin = origin, .record = record, .view = {}};
  candidate.owner_uid = state_.tables.session(origin.session)->uid;
  const auto view = read_submit_record(commit_->blob(record));
  if (!view) {
    candidate.error = view.error();
    return candidate;
  }
  candidate.view = *view;
  candidate.error = check_submit(*view, options_.payload_bytes_max).error;
  if (candidate.error != Error::kOk) return candidate;
  candidate.error = examine_id(candidate);
  if (candidate.error != Error::kOk || candidate.duplicate) return candidate;
  candidate.error = examine_wish(*view, rights(origin.session));
  if (candidate.error != Error::kOk) return candidate;
  if (!view->idempotency_key.empty()) examine_key(candidate);
  if (candidate.error == Error::kOk && !candidate.duplicate) candidate.error = intake_;
  return candidate;
}

void Broker::answer(const Candidate& candidate) {
  const SubmitHead& head = candidate.view.head;
  if (head.durability == static_cast<uint8_t>(Durability::kFsync)) commit_->require_sync();
  if (candidate.error != Error::kOk) {
    return refuse(candidate.origin, candidate.error, static_cast<uint8_t>(RecordKind::kSubmit), head.id,
                  candidate.retry_after_ms != 0 ? candidate.retry_after_ms : retry_after_ms(candidate.error));
  }
  if (!candidate.duplicate) return;
  receipt(candidate.origin, Error::kOk, static_cast<uint8_t>(kReceiptDuplicate | told_state(candidate.first)),
          candidate.first);
}

// The job's state as a duplicate's receipt tells it.
uint8_t Broker::told_state(const JobId& id) {
  std::optional<JobState> state;
  if (const Slot slot = state_.jobs.find(id); slot != kNoSlot)
    state = state_.jobs[slot].state;
  else if (const auto row = finished_.find_finished(id))
    state = row->core.state;
  return state ? static_cast<uint8_t>((static_cast<unsigned>(*state) + 1) << kReceiptStateShift) : uint8_t{0};
}

// Its place in the commit's block.
BlobRef Broker::payload_of(const Candidate& candidate) const {
  const ByteView payload = candidate.view.payload;
  const auto before = static_cast<uint32_t>(payload.data() - commit_->blob(candidate.record).data());
  return {candidate.record.offset + before, static_cast<uint32_t>(payload.size())};
}

void Broker::accept(const Candidate& candidate, QueueNo queue, TypeNo type, bool parked) {
  const SubmitView& view = candidate.view;
  Submitted event;
  const RecordRef record = candidate.memory() ? state_.memory.add(commit_->blob(candidate.record))
                                              : commit_->ref(candidate.record);
  event.job = candidate.memory() ? state_.tables.next_job | kMemoryJob : state_.tables.next_job;
  event.session = candidate.origin.session;
  event.owner_uid = candidate.owner_uid;
  event.queue = queue;
  event.type = type;
  event.record = record.blob;
  event.parked = parked;
  event.lane = candidate.origin.lane;
  event.seq = candidate.origin.seq;
  const bool ready = !parked && view.head.not_before_ms * kMillisecondNs <= now();
  event.held = !parked && key_is_taken(queue, view.ordering_key);
  if (ready && !event.held) event.ready_seq = state_.tables.next_ready_seq;
  if (view.idempotency_key.empty()) {
    note(event, payload_of(candidate));
  } else {
    event.payload_hash = candidate.payload_hash;
    note(event);
  }
  state_.apply(event, view, record);
  if (!view.idempotency_key.empty())
    emit(KeyKept{candidate.key, candidate.content, view.head.id, now() + limits::kIdempotencyKeptNs});
  charge_rate(candidate);
  if (parked) receipt(candidate.origin, Error::kOk, kReceiptDeferred, view.head.id);
}

// Puts an examined submit into its queue, or into the line before a full one.
Error Broker::place(const Candidate& candidate, QueueNo queue, bool may_park) {
  const QueueEntry& entry = state_.tables.queue(queue);
  if (entry.draining) return Error::kUnavailable;
  const bool room = state_.queue(queue).parked.empty() && has_room(queue, 1, candidate.view.payload.size());
  if (!room) {
    // Waiting is told by a receipt that outlives an engine, so that the job would have to as well.
    const bool can_wait = may_park && !candidate.memory() && entry.settings.admission_timeout_ms > 0 &&
                          state_.parked_count() < limits::kParkedMax &&
                          candidate.view.payload.size() <= entry.settings.max_bytes;
    if (!can_wait) return Error::kQueueFull;
  }
  accept(candidate, queue, type_for(candidate.origin, candidate.view.type), !room);
  return Error::kOk;
}

// What is known is named by nobody anew.
Error Broker::place_by_name(const Candidate& candidate) {
  const SubmitView& view = candidate.view;
  const auto queue = state_.tables.find_queue(view.queue);
  if (!queue || !state_.tables.find_type(view.type)) [[unlikely]] {
    const Error names = examine_names(candidate.origin, view.queue, std::span(&view.type, 1));
    if (names != Error::kOk) return names;
  }
  return place(candidate, queue ? *queue : queue_for(candidate.origin, view.queue), true);
}

void Broker::submit(SessionNo session, uint8_t lane, uint64_t seq, const BlobRef& record) {
  Candidate candidate = examine({session, lane, seq}, record);
  if (candidate.error == Error::kOk && !candidate.duplicate) examine_rate(candidate, 1);
  bool kept = false;
  drop_replaced(candidate);
  if (candidate.error == Error::kOk && !candidate.duplicate) {
    candidate.error = place_by_name(candidate);
    kept = candidate.error == Error::kOk && !candidate.memory();
  }
  if (candidate.error != Error::kOk) give_rate_back(candidate);
  if (candidate.error != Error::kOk || candidate.duplicate || kept) must_journal(candidate.origin);
  answer(candidate);
  if (!kept) commit_->drop_last(record);
}

// What speaks against taking the batch as a whole. Names its queue where it is new.
Error Broker::examine_batch(std::span<Candidate> batch) {
  examine_keys_within(batch);
  const Candidate& first = batch.front();
  uint64_t jobs = 0;
  uint64_t bytes = 0;
  uint64_t counter_before = 0;
  std::vector<std::string_view> new_types;
  for (const Candidate& c : batch) {
    if (c.error != Error::kOk) return c.error;
    const bool alike =
        c.view.queue == first.view.queue && c.view.head.durability == first.view.head.durability;
    const uint64_t counter = c.view.head.id.counter();  // grows, so that no id is there twice
    if (!alike || counter <= counter_before || c.replaces != 0) return Error::kInvalidRequest;
    counter_before = counter;
    if (c.duplicate) continue;
    ++jobs;
    bytes += c.view.payload.size();
    if (!state_.tables.find_type(c.view.type)) new_types.push_back(c.view.type);
  }
  if (jobs == 0) return Error::kOk;
  if (!examine_batch_rate(batch)) return Error::kRateLimitExceeded;
  const Error names = examine_names(first.origin, first.view.queue, new_types);
  if (names != Error::kOk) return names;
  const QueueNo queue = queue_for(first.origin, first.view.queue);
  if (state_.tables.queue(queue).draining) return Error::kUnavailable;
  const bool room = has_room(queue, jobs, bytes) && state_.queue(queue).parked.empty();
  return room ? Error::kOk : Error::kQueueFull;
}

void Broker::submit_batch(SessionNo session, uint8_t lane, uint64_t first_seq,
                          std::span<const BlobRef> records) {
  std::vector<Candidate> batch;
  batch.reserve(records.size());
  for (size_t i = 0; i < records.size(); ++i)
    batch.push_back(examine({session, lane, first_seq + i}, records[i]));
  const Error error = examine_batch(batch);
  bool kept = false;
  for (Candidate& c : batch) {
    drop_replaced(c);
    c.error = error;
    if (error != Error::kOk) give_rate_back(c);
    if (error == Error::kOk && !c.duplicate) {
      if (place(c, queue_for(c.origin, c.view.queue), false) != Error::kOk) std::abort();
      kept |= !c.memory();
    }
    if (error != Error::kOk || c.duplicate || kept) must_journal(c.origin);
    answer(c);
  }
  if (!kept) commit_->drop_last(records.front());
}

}  // namespace pqd
