// The model's sessions and commands.
#include <algorithm>

#include "core/control_record.h"
#include "tests/sim/model.h"

namespace pqd::sim {

void Model::begin_turn(TimeNs now) {
  now_ = std::max(now_, now);
  for (const auto& [name, queue] : queues_) note_exhausted(name);
}

void Model::start_epoch(uint32_t epoch) {
  epoch_ = epoch;
  last_lease_ = 0;
  queue_for("default");
  for (const auto& [name, settings] : options_.queues) queue_for(name);
  for (auto& [name, queue] : queues_) {
    const QueueSettings before = std::exchange(queue.settings, configured(name));
    copy_settings(queue.settings, before, queue.overridden);
    queue.turns.restarted(queue.settings.starvation_guard);
    settings_changed(name);
    fair_anew(name);
  }
  give_turns_to_firsts();
}

// A batch that collects waits as long as its queue says now.
void Model::settings_changed(const std::string& queue) {
  const TimeNs interval = queues_.at(queue).settings.batch_interval_ms * kMillisecondNs;
  for (auto& [id, job] : live_)
    if (job.queue == queue && job.waits(Pending::kCollecting)) job.deadline = job.ready_at + interval;
}

void Model::restarted() {
  const auto of_memory = [](const auto& entry) { return entry.second.in_memory(); };
  std::erase_if(live_, of_memory);
  std::erase_if(finished_, of_memory);
  for (auto& [number, session] : sessions_) {
    session.away_until = 0;
    session.lost.clear();
    session.last_counter = session.journaled_counter;
  }
  for (auto& [name, queue] : queues_) {
    queue.turns.restarted(queue.settings.starvation_guard);
    queue.fair.clear();
  }
  intake_ = Error::kOk;
  receipts_.clear();
  redelivered_.clear();
  notices_.clear();
  changes_.clear();
}

void Model::open_session(const SessionOpened& e, const std::vector<uint32_t>& groups) {
  ModelSession session;
  session.uid = e.uid;
  session.groups = {groups.begin(), groups.end()};
  session.tag = e.tag;
  session.secret = e.secret_hash;
  sessions_[e.session] = session;
}

// Whoever is expected back is given nothing new: its subscriptions end.
void Model::expect_return(SessionNo number, TimeNs until) {
  ModelSession& session = sessions_.at(number);
  session.away_until = until;
  for (const auto& [subscription, entry] : session.subscriptions) members_changed(entry.queue);
  session.subscriptions.clear();
}

void Model::close_session(SessionNo number) {
  const auto at = sessions_.find(number);
  if (at == sessions_.end()) return;
  std::vector<std::pair<uint64_t, JobId>> held;
  for (const auto& [id, job] : live_)
    if (job.held_by_consumer() && job.holder == number) held.emplace_back(job.arrival, id);
  std::ranges::sort(held);
  for (const auto& [order, id] : held) end_attempt(live_.at(id), Reason::kConsumerDied, {});
  for (const auto& [subscription, entry] : at->second.subscriptions) members_changed(entry.queue);
  closed_tags_[at->second.tag] = at->second.uid;
  sessions_.erase(at);
}

bool Model::resume_session(SessionNo claimed, SessionNo to, const ShortHash& proof, uint64_t seen) {
  ModelSession& later = sessions_.at(to);
  SessionNo from = 0;
  if (const auto at = sessions_.find(claimed); at != sessions_.end()) {
    if (at->second.secret == proof && at->second.uid == later.uid) from = claimed;
  } else {
    for (const auto& [number, session] : sessions_) {
      const bool heir = session.away_until != 0 && session.resumed_from == claimed &&
                        session.resumed_secret == proof && session.uid == later.uid;
      if (heir && from == 0) from = number;
    }
  }
  if (from == 0 || from == to) return false;
  if (from != claimed) seen = 0;
  std::multimap<uint64_t, JobId> held;
  for (const auto& [id, job] : live_)
    if (job.held_by_consumer() && job.holder == from) held.emplace(job.delivery_number, id);
  for (const auto& [number, id] : held) {
    ModelJob& job = live_.at(id);
    job.holder = to;
    const bool unseen = job.delivery_number > seen;
    job.delivery_number = unseen ? ++later.deliveries : 0;
    if (unseen) redelivered_.emplace_back(to, id);
    if (job.cancel_requested) notices_.emplace_back(to, id);
  }
  const ModelSession& earlier = sessions_.at(from);
  for (const JobId& id : earlier.lost) notices_.emplace_back(to, id);
  later.lost = earlier.lost;
  later.resumed_from = claimed;
  later.resumed_secret = claimed == from ? earlier.secret : earlier.resumed_secret;
  for (const auto& [subscription, entry] : earlier.subscriptions) members_changed(entry.queue);
  closed_tags_[earlier.tag] = earlier.uid;
  sessions_.erase(from);
  return true;
}

void Model::control(SessionNo session, uint64_t seq, ByteView record) {
  RecordHead head;
  std::memcpy(&head, record.data(), sizeof head);
  const auto kind = static_cast<RecordKind>(head.kind);
  const bool settles = kind >= RecordKind::kStart && kind <= RecordKind::kExtend;
  const Error error = settles ? settle(session, record) : command(session, record);
  if (error == Error::kOk) return;
  JobId id;
  if (settles) {
    SettleHead settlement;
    std::memcpy(&settlement, record.data(), sizeof settlement);
    id = settlement.id;
  } else if (kind == RecordKind::kCancel) {
    id = read_cancel(record)->id;
  } else if (kind == RecordKind::kRedrive) {
    id = read_redrive(record)->id;
  } else if (kind == RecordKind::kPurge) {
    id = read_purge(record)->id;
  } else if (kind == RecordKind::kReview) {
    id = read_review(record)->head.id;
  }
  refuse(session, kControlLane, seq, error, id);
}

Error Model::command(SessionNo session, ByteView record) {
  RecordHead head;
  std::memcpy(&head, record.data(), sizeof head);
  switch (static_cast<RecordKind>(head.kind)) {
    case RecordKind::kSubscribe:
      return subscribe(session, record);
    case RecordKind::kUnsubscribe: {
      ModelSession& entry = sessions_.at(session);
      const auto at = entry.subscriptions.find(*read_unsubscribe(record));
      if (at == entry.subscriptions.end()) return Error::kOk;
      members_changed(at->second.queue);
      entry.subscriptions.erase(at);
      return Error::kOk;
    }
    case RecordKind::kCancel:
      return cancel(session, record);
    case RecordKind::kQueueControl:
      return control_queue(session, record);
    case RecordKind::kQueueConfigure:
      return configure_queue(session, record);
    case RecordKind::kRedrive:
      return redrive(session, record);
    case RecordKind::kPurge:
      return purge(session, record);
    case RecordKind::kReview:
      return review(session, record);
    case RecordKind::kCronSet:
      return set_schedule(session, record);
    case RecordKind::kCronRemove:
      return remove_schedule(session, record);
    default:
      return Error::kInvalidRequest;
  }
}

Error Model::subscribe(SessionNo session, ByteView record) {
  const auto parsed = read_subscribe(record);
  if (!parsed) return parsed.error();
  const std::string queue(parsed->queue);
  if (!may_consume(session, queue, {parsed->types.begin(), parsed->types.end()})) return Error::kUnauthorized;
  ModelSession& entry = sessions_.at(session);
  const bool more = !entry.subscriptions.contains(parsed->number);
  if (more && entry.subscriptions.size() >= limits::kSubscriptionsPerSessionMax)
    return Error::kInvalidRequest;
  if (queue_for(queue) == nullptr) return Error::kNotFound;
  if (const auto before = entry.subscriptions.find(parsed->number); before != entry.subscriptions.end())
    members_changed(before->second.queue);
  ModelSubscription& subscription = entry.subscriptions[parsed->number];
  subscription = {queue, parsed->credits, {}};
  for (const std::string_view type : parsed->types) subscription.types.emplace(type);
  members_changed(queue);
  return Error::kOk;
}

bool Model::may_see(SessionNo session, const ModelJob& job) const {
  return operates(session) || sessions_.at(session).uid == job.owner ||
         (job.holder != 0 && job.holder == session);
}

Error Model::cancel(SessionNo session, ByteView record) {
  const auto parsed = read_cancel(record);
  const ModelJob* found = find(parsed->id);
  if (found == nullptr || found->parked() || !may_see(session, *found)) return Error::kNotFound;
  const bool again = (parsed->head.flags & kFlagResubmitted) != 0;
  if (!live_.contains(parsed->id)) {
    if (found->owner != sessions_.at(session).uid && !is_admin(session)) return Error::kUnauthorized;
    return again && found->state == JobState::kCancelled ? Error::kOk : Error::kInvalidStatus;
  }
  ModelJob& job = live_.at(parsed->id);
  if (job.owner != sessions_.at(session).uid && !is_admin(session)) return Error::kUnauthorized;
  if (job.state == JobState::kPending) {
    finish(job, JobState::kCancelled, Reason::kCancelled);
    return Error::kOk;
  }
  if ((parsed->head.flags & kFlagRunning) == 0) return Error::kInvalidStatus;
  changed(job, ChangeKind::kCancelRequested, job.state);
  if (!job.cancel_requested) notices_.emplace_back(job.holder, job.id);
  job.cancel_requested = true;
  return Error::kOk;
}

Error Model::control_queue(SessionNo session, ByteView record) {
  const auto parsed = read_queue_control(record);
  if (!operates(session)) return Error::kUnauthorized;
  const auto at = queues_.find(std::string(parsed->queue));
  if (at == queues_.end()) return Error::kNotFound;
  ModelQueue& queue = at->second;
  if (parsed->action == QueueAction::kPause) queue.paused = true;
  if (parsed->action == QueueAction::kDrain) queue.draining = true;
  if (parsed->action == QueueAction::kResume) queue.paused = queue.draining = false;
  return Error::kOk;
}

const QueueSettings& Model::configured(const std::string& queue) const {
  const auto named = options_.queues.find(queue);
  return named != options_.queues.end() ? named->second : options_.defaults;
}

// What is said at run time stands over the configuration, until nothing is said any more.
Error Model::configure_queue(SessionNo session, ByteView record) {
  const auto parsed = read_queue_configure(record);
  if (!parsed) return parsed.error();
  if (!is_admin(session)) return Error::kUnauthorized;
  const auto at = queues_.find(std::string(parsed->queue));
  if (at == queues_.end()) return Error::kNotFound;
  ModelQueue& queue = at->second;
  const QueueKeys keys = parsed->head.keys;
  QueueSettings settings = keys != 0 ? queue.settings : configured(at->first);
  copy_settings(settings, parsed->head.settings, keys);
  if (keys != 0 && settings.backoff_first_ms > settings.backoff_cap_ms) return Error::kInvalidRequest;
  if (settings.starvation_guard != queue.settings.starvation_guard)
    queue.turns.guard_changed(settings.starvation_guard);
  const bool other_turns = settings.fair != queue.settings.fair;
  queue.settings = settings;
  if (other_turns) fair_anew(at->first);
  queue.overridden = keys != 0 ? queue.overridden | keys : 0;
  queue.overridden_by = keys != 0 ? sessions_.at(session).uid : 0;
  queue.overridden_at = keys != 0 ? now_ : 0;
  settings_changed(at->first);
  return Error::kOk;
}

Error Model::purge(SessionNo session, ByteView record) {
  const auto parsed = read_purge(record);
  if (!is_admin(session)) return Error::kUnauthorized;
  const ModelJob* found = find(parsed->id);
  if (found == nullptr) return Error::kNotFound;
  const bool again = (parsed->head.flags & kFlagResubmitted) != 0;
  if (!found->dead_letter()) return again && found->purged ? Error::kOk : Error::kInvalidStatus;
  changed(*found, ChangeKind::kPurged, found->state, found->reason);
  finished_.at(parsed->id).purged = true;
  return Error::kOk;
}

// The latest word counts, all of them stay in the history.
Error Model::review(SessionNo session, ByteView record) {
  const auto parsed = read_review(record);
  if (!parsed) return parsed.error();
  if (!operates(session)) return Error::kUnauthorized;
  const ModelJob* found = find(parsed->head.id);
  if (found == nullptr) return Error::kNotFound;
  if (!found->dead_letter()) return Error::kInvalidStatus;
  ModelJob& job = finished_.at(parsed->head.id);
  const std::pair word(sessions_.at(session).uid, std::string(parsed->resolution));
  const bool again = (parsed->head.head.flags & kFlagResubmitted) != 0;
  if (again && job.reviewed && job.reviews.back() == word) return Error::kOk;
  changed(job, ChangeKind::kReviewed, job.state, job.reason);
  job.reviewed = true;
  job.reviews.push_back(word);
  return Error::kOk;
}

// A new life of a dead letter, under the old id, at the end of its line.
Error Model::redrive(SessionNo session, ByteView record) {
  const auto parsed = read_redrive(record);
  if (!operates(session)) return Error::kUnauthorized;
  const ModelJob* found = find(parsed->id);
  if (found == nullptr) return Error::kNotFound;
  const bool again = (parsed->head.flags & kFlagResubmitted) != 0 && found->redriven;
  if (!found->dead_letter()) return again ? Error::kOk : Error::kInvalidStatus;
  if (again && found->delivery == Delivery::kAtMostOnce) return Error::kInvalidStatus;
  ModelJob job = *found;
  finished_.erase(job.id);
  std::erase(just_finished_, job.id);
  job.arrival = next_arrival_++;
  job.state = JobState::kPending;
  job.attempts = 0;
  job.reason = Reason::kNone;
  job.progress = 0;
  job.cancel_requested = false;
  job.redriven = true;
  job.reviewed = false;
  job.note.clear();
  job.not_before = 0;
  job.ready_order = 0;
  job.token = {};
  changed(job, ChangeKind::kRedriven, JobState::kPending);
  if (key_taken(job.queue, job.key))
    job.pending = Pending::kHeld;
  else
    become_ready(job);
  live_[job.id] = job;
  regroup(job.queue);
  return Error::kOk;
}

}  // namespace pqd::sim
