// The broker's settlements: start, complete, fail, release, extend; and how an attempt ends.
#include "core/broker.h"

#include <algorithm>
#include <cstdlib>

#include "core/canary.h"
#include "core/lifecycle.h"

namespace pqd {

void Broker::settle(const Origin& origin, ByteView record) {
  const auto parsed = read_settle(record);
  const Slot lease = parsed ? lease_of(origin, parsed->head) : kNoSlot;
  if (lease != kNoSlot && is_memory(state_.jobs[lease].no)) return settle_lease(lease, *parsed);
  must_journal(origin);
  commit_->require_sync();
  if (!parsed) return refuse(origin, parsed.error(), static_cast<uint8_t>(record[4]), {});
  if (lease != kNoSlot) return settle_lease(lease, *parsed);
  const SettleHead& head = parsed->head;
  const bool sent_before = (head.head.flags & kFlagResubmitted) != 0;
  if (sent_before && already_settled(head, static_cast<RecordKind>(head.head.kind))) return;
  refuse(origin, Error::kLeaseLost, head.head.kind, head.id);
}

// The job whose lease this is, if it is the sender's and good.
Slot Broker::lease_of(const Origin& origin, const SettleHead& head) const {
  const Slot slot = state_.jobs.find(head.token.job);
  if (slot == kNoSlot) return kNoSlot;
  const Job& job = state_.jobs[slot];
  const bool held = job.state == JobState::kAssigned || job.state == JobState::kProcessing;
  const bool newest = state_.jobs.token(slot) == head.token || PQD_CANARY("stale-token-accepted");
  const bool good = held && newest && job.id == head.id && state_.jobs.course(slot).holder == origin.session;
  return good ? slot : kNoSlot;
}

// A settlement that a client sent again after a reconnect: did it count the first time?
bool Broker::already_settled(const SettleHead& head, RecordKind kind) {
  const Slot slot = state_.jobs.find(head.id);
  std::optional<JobCore> core;
  if (slot != kNoSlot) {
    core = state_.jobs.core(slot);
  } else if (const auto row = finished_.find_finished(head.id)) {
    core = row->core;
  }
  if (!core || !(core->token() == head.token)) return false;
  switch (kind) {
    case RecordKind::kComplete:
      return core->state == JobState::kCompleted || core->reason == Reason::kCancelled;
    case RecordKind::kFail:
      return core->state == JobState::kFailed || core->state == JobState::kPending ||
             core->reason == Reason::kCancelled;
    case RecordKind::kRelease:
      return core->state == JobState::kPending || core->reason == Reason::kCancelled;
    default:
      return false;
  }
}

void Broker::settle_lease(Slot slot, const SettleView& settle) {
  const Job& job = state_.jobs[slot];
  const JobCourse& course = state_.jobs.course(slot);
  const auto kind = static_cast<RecordKind>(settle.head.head.kind);
  if (course.cancel_requested && kind != RecordKind::kStart && kind != RecordKind::kExtend) {
    return emit(Cancelled{job.no, course.holder});
  }
  switch (kind) {
    case RecordKind::kStart:
      if (job.state == JobState::kAssigned) emit(Started{job.no});
      return;
    case RecordKind::kComplete:
      return complete(slot, settle.body);
    case RecordKind::kFail: {
      const bool for_good = (settle.head.head.flags & kFlagDoNotRetry) != 0;
      return end_attempt(slot, for_good ? Reason::kDoNotRetry : Reason::kFailedByConsumer, settle.body);
    }
    case RecordKind::kRelease:
      if (state_.jobs.terms(slot).delivery == Delivery::kAtMostOnce)
        return end_attempt(slot, Reason::kDeliveryLost, {});
      return emit(Released{job.no});
    case RecordKind::kExtend:
      return extend(slot, settle);
    default:
      std::abort();
  }
}

void Broker::complete(Slot slot, ByteView result) {
  const JobNo job = state_.jobs[slot].no;
  recent_.completed(now(), now() - state_.jobs.course(slot).assigned_ns);
  if (is_memory(job)) {
    const RecordRef kept = result.empty() ? RecordRef{} : state_.memory.add(result);
    const Completed event{job, {}, {}};
    note(event);
    return state_.apply(event, kept);
  }
  const Completed event{job, commit_->add_blob(result), {}};
  if (result.empty()) {
    note(event);
    return state_.apply(event, RecordRef{});
  }
  note(event, event.result);
  state_.apply(event, commit_->ref(event.result));
}

void Broker::extend(Slot slot, const SettleView& settle) {
  const JobCore core = state_.jobs.core(slot);
  const uint32_t lease_ms = settle.head.extend_ms != 0 ? settle.head.extend_ms : core.processing_timeout_ms;
  // Progress may ride along; a bare renewal takes none back.
  const uint8_t progress = settle.head.progress != 0 ? settle.head.progress : core.progress;
  const Extended event{core.no, now() + lease_ms * kMillisecondNs, progress, add_blob(core, settle.body)};
  note(event);
  state_.apply(event, as_text(settle.body));
}

// One attempt is over without success, whoever says so.
void Broker::end_attempt(Slot slot, Reason reason, ByteView error) {
  const JobCore core = state_.jobs.core(slot);
  if (core.cancel_requested) return emit(Cancelled{core.no, core.holder});
  const bool by_consumer = reason == Reason::kFailedByConsumer || reason == Reason::kDoNotRetry;
  if (core.delivery == Delivery::kAtMostOnce && !by_consumer) reason = Reason::kDeliveryLost;
  const bool once = core.delivery == Delivery::kAtMostOnce && !PQD_CANARY("at-most-once-redelivered");
  const bool last = reason == Reason::kDoNotRetry || once || core.attempts >= core.max_attempts;
  if (!is_memory(core.no)) commit_->require_sync();
  const BlobRef blob = add_blob(core, error);
  if (last) {
    recent_.failed(now());
    const Failed event{core.no, reason, blob};
    note(event);
    return state_.apply(event, as_text(error));
  }
  const uint64_t base_ms = backoff_ms(core);
  const uint64_t wait_ms = base_ms + (core.backoff_jitter ? random_below(base_ms + 1) : 0);
  const AttemptFailed event{core.no, reason, now() + static_cast<TimeNs>(wait_ms) * kMillisecondNs, blob};
  note(event);
  state_.apply(event, as_text(error));
}

}  // namespace pqd
