// The broker's commands: subscriptions, cancel, queue control, redrive.
#include <algorithm>

#include "core/broker.h"
#include "core/queries.h"

namespace pqd {
namespace {

// The job that a command is about, for the audit trail.
JobId job_named_by(RecordKind kind, ByteView record) {
  if (kind == RecordKind::kCancel) return read_cancel(record).value_or(CancelRecord{}).id;
  if (kind == RecordKind::kRedrive) return read_redrive(record).value_or(RedriveRecord{}).id;
  if (kind == RecordKind::kPurge) return read_purge(record).value_or(PurgeRecord{}).id;
  if (kind == RecordKind::kReview) return read_review(record).value_or(ReviewView{}).head.id;
  return {};
}

}  // namespace

void Broker::control(SessionNo session, uint64_t seq, ByteView record) {
  const Origin origin{session, kControlLane, seq};
  const auto kind = static_cast<RecordKind>(record[offsetof(RecordHead, kind)]);
  if (kind >= RecordKind::kStart && kind <= RecordKind::kExtend) return settle(origin, record);
  must_journal(origin);
  commit_->require_sync();
  const Error error = command(origin, record);
  if (error != Error::kOk) refuse(origin, error, static_cast<uint8_t>(kind), job_named_by(kind, record));
}

Error Broker::command(const Origin& origin, ByteView record) {
  switch (static_cast<RecordKind>(record[offsetof(RecordHead, kind)])) {
    case RecordKind::kSubscribe:
      return subscribe(origin, record);
    case RecordKind::kUnsubscribe:
      return unsubscribe(origin, record);
    case RecordKind::kCancel:
      return cancel(origin, record);
    case RecordKind::kQueueControl:
      return control_queue(origin, record);
    case RecordKind::kRedrive:
      return redrive(origin, record);
    case RecordKind::kQueueConfigure:
      return configure_queue(origin, record);
    case RecordKind::kPurge:
      return purge(origin, record);
    case RecordKind::kReview:
      return review(origin, record);
    case RecordKind::kCronSet:
      return set_schedule(origin, record);
    case RecordKind::kCronRemove:
      return remove_schedule(origin, record);
    default:
      return Error::kInvalidRequest;
  }
}

Error Broker::subscribe(const Origin& origin, ByteView record) {
  const auto parsed = read_subscribe(record);
  if (!parsed) return parsed.error();
  if (!rights(origin.session).may_consume(parsed->queue, parsed->types)) return Error::kUnauthorized;
  const auto& there = state_.tables.session(origin.session)->subscriptions;
  const auto same = [&](const SubscriptionEntry& entry) { return entry.number == parsed->number; };
  // A journal of old may hold more.
  if (there.size() >= limits::kSubscriptionsPerSessionMax && std::ranges::none_of(there, same))
    return Error::kInvalidRequest;
  const Error names = examine_names(origin, parsed->queue, parsed->types);
  if (names != Error::kOk) return names;
  const QueueNo queue = queue_for(origin, parsed->queue);
  Subscribed event{origin.session, parsed->number, queue, parsed->credits, {}};
  for (const std::string_view name : parsed->types) {
    const TypeNo type = type_for(origin, name);
    if (std::find(event.types.begin(), event.types.end(), type) == event.types.end())
      event.types.push_back(type);
  }
  emit(event);
  return Error::kOk;
}

Error Broker::unsubscribe(const Origin& origin, ByteView record) {
  const auto number = read_unsubscribe(record);
  if (!number) return number.error();
  emit(Unsubscribed{origin.session, *number});
  return Error::kOk;
}

Error Broker::cancel(const Origin& origin, ByteView record) {
  const auto parsed = read_cancel(record);
  if (!parsed) return parsed.error();
  const SessionEntry& session = *state_.tables.session(origin.session);
  // Sent again after a reconnect, it may have counted the first time.
  const bool again = (parsed->head.flags & kFlagResubmitted) != 0;
  const auto own = [&](const JobCore& job) {
    return job.owner_uid == session.uid || rights(origin.session).admin();
  };
  const auto finished = [&](const JobCore& job) {
    if (!own(job)) return Error::kUnauthorized;
    return again && job.state == JobState::kCancelled ? Error::kOk : Error::kInvalidStatus;
  };
  const Slot slot = state_.jobs.find(parsed->id);
  if (slot == kNoSlot) {
    const auto row = finished_.find_finished(parsed->id);
    return row && may_see(session, row->core) ? finished(row->core) : Error::kNotFound;
  }
  const JobCore core = state_.jobs.core(slot);
  const bool parked = core.state == JobState::kPending && core.pending == Pending::kParked;
  if (parked || !may_see(session, core)) return Error::kNotFound;
  if (is_finished(core.state)) return finished(core);
  if (!own(core)) return Error::kUnauthorized;
  if (core.state == JobState::kPending) {
    emit(Cancelled{core.no, origin.session});
    return Error::kOk;
  }
  if ((parsed->head.flags & kFlagRunning) == 0) return Error::kInvalidStatus;
  // Its consumer is told once: asking again and again fills nobody's line.
  if (!core.cancel_requested) commit_->effects().notices.push_back(notice_of(core));
  emit(CancelRequested{core.no, origin.session});
  return Error::kOk;
}

Error Broker::control_queue(const Origin& origin, ByteView record) {
  const auto parsed = read_queue_control(record);
  if (!parsed) return parsed.error();
  if (!rights(origin.session).operates()) return Error::kUnauthorized;
  const auto queue = state_.tables.find_queue(parsed->queue);
  if (!queue) return is_elsewhere(parsed->queue) ? refuse_elsewhere(origin) : Error::kNotFound;
  QueueControlled event{*queue, state_.tables.queue(*queue).paused, state_.tables.queue(*queue).draining,
                        origin.session};
  switch (parsed->action) {
    case QueueAction::kPause:
      event.paused = true;
      break;
    case QueueAction::kResume:
      event.paused = event.draining = false;
      break;
    case QueueAction::kDrain:
      event.draining = true;
      break;
  }
  emit(event);
  return Error::kOk;
}

Error Broker::redrive(const Origin& origin, ByteView record) {
  const auto parsed = read_redrive(record);
  if (!parsed) return parsed.error();
  if (!rights(origin.session).operates()) return Error::kUnauthorized;
  auto row = row_by_id(parsed->id);
  if (!row) return Error::kNotFound;
  // Sent again after a reconnect, it counted the first time. When that life is over, too, nobody knows; only
  // what may be delivered twice is given one more, and nothing is said to be done that may not be.
  const bool again = (parsed->head.flags & kFlagResubmitted) != 0 && row->core.redriven;
  if (!is_dead_letter(row->core) || row->payload_dropped) return again ? Error::kOk : Error::kInvalidStatus;
  if (again && row->core.delivery == Delivery::kAtMostOnce) return Error::kInvalidStatus;
  revive(origin, std::move(*row));
  return Error::kOk;
}

void Broker::revive(const Origin& origin, JobRow&& row) {
  Redriven event;
  event.job = state_.tables.next_job;
  event.was = row.core.no;
  event.by = origin.session;
  event.record = commit_->add_blob(row.record);
  row.record.clear();
  event.row = commit_->add_blob(encode_row(row));
  const auto submit = read_submit_record(commit_->blob(event.record));
  const bool held = submit && key_is_taken(row.core.queue, submit->ordering_key);
  event.ready_seq = held ? 0 : state_.tables.next_ready_seq;
  note(event);
  state_.apply(event, commit_->ref(event.record), std::move(row));
}

}  // namespace pqd
