// The model's intake.
#include <algorithm>

#include "tests/sim/model_offer.h"

namespace pqd::sim {

constexpr TimeNs kKeyKeptNs = INT64_C(24) * 3'600 * kSecondNs;

namespace {

// Joined so that no two lists of parts look the same.
template <class... Parts>
std::string joined(const Parts&... parts) {
  std::string all;
  const auto add = [&all](const std::string& part) { all += std::to_string(part.size()) + ":" + part; };
  (add(std::string(parts)), ...);
  return all;
}

// What makes two submits the same request; times are no part of it.
std::string content_of(const SubmitView& view) {
  return joined(view.type, as_text(view.payload), view.metadata, std::to_string(view.head.mode),
                std::to_string(view.head.priority), std::to_string(view.head.delivery), view.ordering_key);
}

}  // namespace

const ModelJob* Model::find(const JobId& id) const {
  if (const auto at = live_.find(id); at != live_.end()) return &at->second;
  const auto at = finished_.find(id);
  return at == finished_.end() ? nullptr : &at->second;
}

bool Model::has_room(const std::string& queue, uint64_t jobs, uint64_t bytes) const {
  const QueueSettings& settings = queues_.at(queue).settings;
  uint64_t depth = jobs;
  for (const auto& [id, job] : live_) {
    if (job.queue != queue || job.parked()) continue;
    ++depth;
    bytes += job.payload.size();
  }
  return depth <= settings.max_depth && bytes <= settings.max_bytes;
}

bool Model::anybody_parked(const std::string& queue) const {
  for (const auto& [id, job] : live_)
    if (job.queue == queue && job.parked()) return true;
  return false;
}

bool Model::key_taken(const std::string& queue, const std::string& key) const {
  if (key.empty()) return false;
  for (const auto& [id, job] : live_)
    if (job.queue == queue && job.key == key) return true;
  return false;
}

std::optional<uint32_t> Model::uid_of_tag(uint32_t tag) const {
  for (const auto& [number, session] : sessions_)
    if (session.tag == tag) return session.uid;
  const auto closed = closed_tags_.find(tag);
  if (closed == closed_tags_.end()) return std::nullopt;
  return closed->second;
}

ModelQueue* Model::queue_for(const std::string& name) {
  if (const auto known = queues_.find(name); known != queues_.end()) return &known->second;
  const bool named = options_.queues.contains(name) || name == "default";
  if (options_.strict_queues && !named) return nullptr;
  ModelQueue& queue = queues_[name];
  queue.settings = configured(name);
  return &queue;
}

Error Model::examine_id(Offer& offer) const {
  const ModelSession& session = sessions_.at(offer.session);
  const JobId& id = offer.view.head.id;
  if ((offer.view.head.head.flags & kFlagResubmitted) == 0) {
    const bool own = id.tag() == session.tag && id.lane() == offer.lane;
    return own && id.counter() > session.last_counter[offer.lane] ? Error::kOk : Error::kInvalidRequest;
  }
  if (uid_of_tag(id.tag()) != session.uid) return Error::kUnauthorized;
  const ModelJob* job = find(id);
  if (job == nullptr) return Error::kOk;
  offer.replaces = job->parked();
  offer.duplicate = !offer.replaces;
  offer.first = id;
  return Error::kOk;
}

void Model::examine_key(Offer& offer) const {
  const SubmitView& view = offer.view;
  offer.scope =
      joined(std::to_string(sessions_.at(offer.session).uid), view.subject, view.queue, view.idempotency_key);
  offer.content = content_of(view);
  const auto known = keys_.find(offer.scope);
  if (known == keys_.end() || known->second.until <= now_ || known->second.first == view.head.id) return;
  offer.first = known->second.first;
  if (known->second.content != offer.content)
    offer.error = Error::kDuplicateRequest;
  else if (find(offer.first)->parked())
    offer.error = Error::kQueueFull;
  else
    offer.duplicate = true;
}

// Two jobs of one atomic submit may have one key as well.
void Model::examine_keys_within(std::vector<Offer>& offers) {
  for (auto later = offers.begin(); later != offers.end(); ++later) {
    if (later->scope.empty() || later->duplicate || later->error != Error::kOk) continue;
    const auto first = std::find_if(offers.begin(), later, [&](const Offer& earlier) {
      return earlier.scope == later->scope && !earlier.duplicate && earlier.error == Error::kOk;
    });
    if (first == later) continue;
    later->first = first->view.head.id;
    if (first->content == later->content)
      later->duplicate = true;
    else
      later->error = Error::kDuplicateRequest;
  }
}

Model::Offer Model::examine(SessionNo session, uint8_t lane, uint64_t seq, ByteView record) const {
  Offer offer{.session = session,
              .lane = lane,
              .seq = seq,
              .owner = sessions_.at(session).uid,
              .view = *read_submit_record(record)};
  offer.error = check_submit(offer.view, options_.payload_bytes_max).error;
  if (offer.error == Error::kOk) offer.error = examine_id(offer);
  if (offer.error != Error::kOk || offer.duplicate) return offer;
  if (offer.error == Error::kOk) offer.error = may_submit(session, offer.view);
  if (offer.error == Error::kOk && !offer.view.idempotency_key.empty()) examine_key(offer);
  if (offer.error == Error::kOk && !offer.duplicate) offer.error = intake_;
  return offer;
}

void Model::accept(const Offer& offer, bool parked) {
  const SubmitHead& head = offer.view.head;
  const QueueSettings& settings = queues_.at(std::string(offer.view.queue)).settings;
  const auto given = [](uint32_t value, uint32_t otherwise) {
    return value == kTimeoutDefault ? otherwise : value;
  };
  ModelJob job;
  job.id = head.id;
  job.arrival = next_arrival_++;
  job.submitter = offer.session;
  job.lane = offer.lane;
  job.seq = offer.seq;
  job.owner = offer.owner;
  job.queue = offer.view.queue;
  job.type = offer.view.type;
  job.key = offer.view.ordering_key;
  job.subject = offer.view.subject;
  job.payload = as_text(offer.view.payload);
  job.mode = static_cast<Mode>(head.mode);
  job.priority = head.priority;
  job.delivery = static_cast<Delivery>(head.delivery);
  job.durability = static_cast<Durability>(head.durability);
  job.queue_timeout_ms = given(head.queue_timeout_ms, settings.queue_timeout_ms);
  job.lease_ms = given(head.processing_timeout_ms, settings.processing_timeout_ms);
  if (job.lease_ms == 0) job.lease_ms = settings.processing_timeout_ms;
  job.backoff_first_ms = given(head.backoff_first_ms, settings.backoff_first_ms);
  job.backoff_cap_ms = given(head.backoff_cap_ms, settings.backoff_cap_ms);
  job.jitter = (head.head.flags & kFlagBackoffJitter) != 0;
  job.max_attempts =
      head.max_attempts != 0 ? head.max_attempts : static_cast<uint16_t>(settings.max_attempts);
  job.not_before = head.not_before_ms * kMillisecondNs;
  if (parked) {
    job.pending = Pending::kParked;
    job.deadline = now_ + settings.admission_timeout_ms * kMillisecondNs;
    receipt(offer.session, offer.lane, offer.seq, Error::kOk, kReceiptDeferred, job.id);
  } else if (key_taken(job.queue, job.key)) {
    job.pending = Pending::kHeld;
  } else if (job.not_before > now_) {
    job.pending = Pending::kScheduled;
    job.deadline = job.not_before;
  } else {
    become_ready(job);
  }
  for (auto& [number, session] : sessions_) {
    if (session.tag != job.id.tag()) continue;
    uint64_t& last = session.last_counter[job.id.lane()];
    last = std::max(last, job.id.counter());
    if (!job.in_memory()) session.journaled_counter[job.id.lane()] = last;
  }
  if (!parked) changed(job, ChangeKind::kSubmitted, JobState::kPending);
  job.scope = offer.scope;
  if (offer.session != 0) pay(job.owner, job.subject);  // what a schedule makes costs nobody anything
  if (!job.scope.empty()) keys_[job.scope] = {job.id, offer.content, now_ + kKeyKeptNs};
  live_[job.id] = job;
  regroup(job.queue);
}

Error Model::place(const Offer& offer, bool may_park) {
  const std::string queue(offer.view.queue);
  const ModelQueue* entry = queue_for(queue);
  if (entry == nullptr) return Error::kNotFound;
  if (entry->draining) return Error::kUnavailable;
  const bool room = !anybody_parked(queue) && has_room(queue, 1, offer.view.payload.size());
  const bool memory = static_cast<Durability>(offer.view.head.durability) == Durability::kMemory;
  const bool may_wait = may_park && !memory && entry->settings.admission_timeout_ms > 0 &&
                        offer.view.payload.size() <= entry->settings.max_bytes;
  if (!room && !may_wait) return Error::kQueueFull;
  accept(offer, !room);
  return Error::kOk;
}

void Model::answer(const Offer& offer) {
  const JobId& id = offer.view.head.id;
  if (offer.error != Error::kOk)
    return refuse(offer.session, offer.lane, offer.seq, offer.error, id, offer.retry_after_ms);
  if (!offer.duplicate) return;
  const auto state = static_cast<unsigned>(find(offer.first)->state) + 1;
  receipt(offer.session, offer.lane, offer.seq, Error::kOk,
          static_cast<uint8_t>(kReceiptDuplicate | state << kReceiptStateShift), offer.first);
}

void Model::submit(SessionNo session, uint8_t lane, uint64_t seq, ByteView record) {
  Offer offer = examine(session, lane, seq, record);
  if (offer.error == Error::kOk) examine_rate(std::span(&offer, 1));
  if (offer.replaces) forget_parked(offer.view.head.id);
  if (offer.error == Error::kOk && !offer.duplicate) offer.error = place(offer, true);
  answer(offer);
}

void Model::submit_batch(SessionNo session, uint8_t lane, uint64_t first_seq,
                         const std::vector<ByteView>& records) {
  std::vector<Offer> offers;
  for (size_t i = 0; i < records.size(); ++i)
    offers.push_back(examine(session, lane, first_seq + i, records[i]));
  examine_keys_within(offers);
  const Offer& first = offers.front();
  Error error = Error::kOk;
  uint64_t fresh = 0;
  uint64_t bytes = 0;
  uint64_t counter = 0;
  for (const Offer& offer : offers) {
    fresh += offer.duplicate ? 0u : 1u;
    bytes += offer.duplicate ? 0u : offer.view.payload.size();
    const bool alike = offer.view.queue == first.view.queue &&
                       offer.view.head.durability == first.view.head.durability &&
                       offer.view.head.id.counter() > counter && !offer.replaces;
    counter = offer.view.head.id.counter();
    if (error == Error::kOk)
      error = offer.error != Error::kOk ? offer.error : alike ? Error::kOk : Error::kInvalidRequest;
  }
  const std::string queue(first.view.queue);
  if (error == Error::kOk) {
    examine_rate(offers);
    error = offers.front().error;
  }
  if (error == Error::kOk && fresh > 0) {
    const ModelQueue* entry = queue_for(queue);
    if (entry == nullptr)
      error = Error::kNotFound;
    else if (entry->draining)
      error = Error::kUnavailable;
    else if (anybody_parked(queue) || !has_room(queue, fresh, bytes))
      error = Error::kQueueFull;
  }
  for (Offer& offer : offers) {
    if (offer.replaces) forget_parked(offer.view.head.id);
    offer.error = error;
    if (error == Error::kOk && !offer.duplicate) accept(offer, false);
    answer(offer);
  }
}

}  // namespace pqd::sim
