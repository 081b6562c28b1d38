// What happened. A turn of the broker ends as a list of events; their bytes, chained by hash, are the journal
// and the audit trail, and everything else the daemon knows is a fold over them. Kinds and field order are a
// stored format: append kinds, never change one. Payloads, metadata, keys and results are not in here: they
// stand in the commit's block, and an event names their place.
//
// Each event lists its fields once, in `fields`, for writing and for reading. Integers are variable-length.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

#include "core/bytes.h"
#include "core/error.h"
#include "core/job.h"
#include "core/queue_keys.h"
#include "core/receipt_flags.h"

namespace pqd {

enum class EventKind : uint8_t {
  kTimePassed = 1,
  kEpochStarted = 2,
  kQueueCreated = 3,
  kQueueConfigured = 4,
  kQueueControlled = 5,
  kTypeNamed = 6,
  kSessionOpened = 7,
  kSessionClosed = 8,
  kSessionResumed = 9,
  kSubscribed = 10,
  kUnsubscribed = 11,
  kLaneAdvanced = 12,
  kReceiptIssued = 13,
  kReceiptsTaken = 14,
  kSubmitted = 32,
  kAdmitted = 33,
  kParkRefused = 34,
  kReadied = 35,
  kAssigned = 36,
  kStarted = 37,
  kCompleted = 38,
  kAttemptFailed = 39,
  kFailed = 40,
  kTimedOut = 41,
  kCancelled = 42,
  kCancelRequested = 43,
  kReleased = 44,
  kExtended = 45,
  kRedriven = 46,
  kRefused = 47,
  kReheld = 48,
  kKeyTurn = 49,
  kCronSet = 60,
  kCronRemoved = 61,
  kCronFired = 62,
  kKeyKept = 50,
  kKeyFreed = 51,
  kBatchFormed = 52,
  kDeliveriesCounted = 53,
  kReviewed = 65,
  kPurged = 66,
  kRateCharged = 67,
  kQueueOverridden = 70,
  kNamesCounted = 75,
};

// A stretch of the commit's block.
struct BlobRef {
  uint32_t offset = 0;
  uint32_t bytes = 0;
  friend bool operator==(const BlobRef&, const BlobRef&) = default;
};

// The first 16 bytes of a SHA-256.
using ShortHash = std::array<uint8_t, 16>;

// Where a session has been read up to. `bytes` is the ring cursor, `seq` the count of records.
struct LanePosition {
  uint64_t seq = 0;
  uint64_t bytes = 0;
  friend bool operator==(const LanePosition&, const LanePosition&) = default;
};

#define PQD_EVENT(kind_, ...)                          \
  static constexpr EventKind kKind = EventKind::kind_; \
  template <class Self, class F>                       \
  static void fields(Self& e, F&& f) {                 \
    f(__VA_ARGS__);                                    \
  }

// The clock that the following events of the commit carry.
struct TimePassed {
  TimeNs now_ns = 0;
  PQD_EVENT(kTimePassed, e.now_ns)
};
// An engine took over this store; leases given from here on carry this epoch.
struct EpochStarted {
  uint32_t epoch = 0;
  PQD_EVENT(kEpochStarted, e.epoch)
};
struct QueueCreated {
  QueueNo queue = 0;
  std::string name;
  QueueSettings settings;
  PQD_EVENT(kQueueCreated, e.queue, e.name, e.settings)
};
struct QueueConfigured {
  QueueNo queue = 0;
  QueueSettings settings;
  PQD_EVENT(kQueueConfigured, e.queue, e.settings)
};
// Somebody set some of a queue's settings at run time (`keys`; all those in force, not the latest alone), or
// gave it back to the configuration (0).
struct QueueOverridden {
  QueueNo queue = 0;
  QueueSettings settings;
  QueueKeys keys = 0;
  SessionNo by = 0;
  PQD_EVENT(kQueueOverridden, e.queue, e.settings, e.keys, e.by)
};
struct QueueControlled {
  QueueNo queue = 0;
  bool paused = false;
  bool draining = false;
  SessionNo by = 0;
  PQD_EVENT(kQueueControlled, e.queue, e.paused, e.draining, e.by)
};
struct TypeNamed {
  TypeNo type = 0;
  std::string name;
  PQD_EVENT(kTypeNamed, e.type, e.name)
};
// How many queues and types this user has named by now, see limits.h. Administrators are not counted.
struct NamesCounted {
  uint32_t uid = 0;
  uint32_t queues = 0;
  uint32_t types = 0;
  PQD_EVENT(kNamesCounted, e.uid, e.queues, e.types)
};
struct SessionOpened {
  SessionNo session = 0;
  uint32_t uid = 0;
  uint32_t pid = 0;
  uint32_t tag = 0;
  ShortHash secret_hash{};  // of the secret that the client may resume it with
  PQD_EVENT(kSessionOpened, e.session, e.uid, e.pid, e.tag, e.secret_hash)
};
struct SessionClosed {
  SessionNo session = 0;
  PQD_EVENT(kSessionClosed, e.session)
};
// `to` proved that it is the same client as `from`, which ends here; a Reheld for each lease stands before
// this.
struct SessionResumed {
  SessionNo from = 0;
  SessionNo to = 0;
  SessionNo claimed = 0;  // what the client knew itself as: `from`, or a session that `from` had taken over
  PQD_EVENT(kSessionResumed, e.from, e.to, e.claimed)
};
struct Subscribed {
  SessionNo session = 0;
  uint32_t number = 0;
  QueueNo queue = 0;
  uint32_t credits = 0;
  std::vector<TypeNo> types;  // none = every type
  PQD_EVENT(kSubscribed, e.session, e.number, e.queue, e.credits, e.types)
};
struct Unsubscribed {
  SessionNo session = 0;
  uint32_t number = 0;
  PQD_EVENT(kUnsubscribed, e.session, e.number)
};
struct LaneAdvanced {
  SessionNo session = 0;
  uint8_t lane = 0;
  uint64_t seq = 0;
  uint64_t bytes = 0;
  PQD_EVENT(kLaneAdvanced, e.session, e.lane, e.seq, e.bytes)
};
// An exception to "the watermark has passed, so it is done". Numbered 1, 2, 3 ... within its session.
struct ReceiptIssued {
  SessionNo session = 0;
  uint8_t lane = 0;
  uint64_t seq = 0;
  uint8_t code = 0;   // Error
  uint8_t flags = 0;  // kReceipt...
  uint32_t retry_after_ms = 0;
  JobId id;
  PQD_EVENT(kReceiptIssued, e.session, e.lane, e.seq, e.code, e.flags, e.retry_after_ms, e.id)
};
// So many deliveries of the session were published: those of durability `memory` are numbered with the others
// and stand in no other event.
struct DeliveriesCounted {
  SessionNo session = 0;
  uint64_t count = 0;
  PQD_EVENT(kDeliveriesCounted, e.session, e.count)
};
// The client has read this many receipts of the session; they need not be kept.
struct ReceiptsTaken {
  SessionNo session = 0;
  uint64_t count = 0;
  PQD_EVENT(kReceiptsTaken, e.session, e.count)
};

// A job came in: pending, or parked when its queue is full. `ready_seq` 0 = not ready yet.
struct Submitted {
  JobNo job = 0;
  SessionNo session = 0;
  uint32_t owner_uid = 0;
  QueueNo queue = 0;
  TypeNo type = 0;
  BlobRef record;
  ShortHash payload_hash{};
  uint64_t ready_seq = 0;
  bool parked = false;
  bool held = false;  // by its ordering key
  uint8_t lane = 0;
  uint64_t seq = 0;
  PQD_EVENT(kSubmitted, e.job, e.session, e.owner_uid, e.queue, e.type, e.record, e.payload_hash, e.ready_seq,
            e.parked, e.held, e.lane, e.seq)
};
// A parked submit found room.
struct Admitted {
  JobNo job = 0;
  uint64_t ready_seq = 0;
  bool held = false;
  PQD_EVENT(kAdmitted, e.job, e.ready_seq, e.held)
};
// The jobs before it with the same ordering key are finished. `ready_seq` 0 = its own time has not come yet.
struct KeyTurn {
  JobNo job = 0;
  uint64_t ready_seq = 0;
  PQD_EVENT(kKeyTurn, e.job, e.ready_seq)
};
// A parked submit found none in time: it never became a job.
struct ParkRefused {
  JobNo job = 0;
  uint8_t code = 0;
  PQD_EVENT(kParkRefused, e.job, e.code)
};
// The idempotency key of the job just submitted leads to it until then. Hashes only, see core/idempotency.h.
struct KeyKept {
  ShortHash key{};
  ShortHash content{};
  JobId id;
  TimeNs expires_ns = 0;
  PQD_EVENT(kKeyKept, e.key, e.content, e.id, e.expires_ns)
};
// The job that had the key never came to be.
struct KeyFreed {
  ShortHash key{};
  PQD_EVENT(kKeyFreed, e.key)
};
// These collected long enough, or are enough: ready from now on, with numbers from `first_ready_seq` in this
// order.
struct BatchFormed {
  uint64_t first_ready_seq = 0;
  std::vector<JobNo> jobs;
  PQD_EVENT(kBatchFormed, e.first_ready_seq, e.jobs)
};
// Its time came: not_before passed, or the backoff is over.
struct Readied {
  JobNo job = 0;
  uint64_t ready_seq = 0;
  PQD_EVENT(kReadied, e.job, e.ready_seq)
};
struct Assigned {
  JobNo job = 0;
  SessionNo session = 0;
  uint32_t subscription = 0;
  uint64_t delivery = 0;  // its number within the session: 1, 2, 3 ...
  uint64_t lease = 0;
  TimeNs until_ns = 0;
  PQD_EVENT(kAssigned, e.job, e.session, e.subscription, e.delivery, e.lease, e.until_ns)
};
// The lease goes on in the session that its holder resumed as. `delivery` 0: the client has seen the
// delivery.
struct Reheld {
  JobNo job = 0;
  SessionNo session = 0;
  uint64_t delivery = 0;
  PQD_EVENT(kReheld, e.job, e.session, e.delivery)
};
struct Started {
  JobNo job = 0;
  PQD_EVENT(kStarted, e.job)
};
struct Completed {
  JobNo job = 0;
  BlobRef result;
  ShortHash result_hash{};
  PQD_EVENT(kCompleted, e.job, e.result, e.result_hash)
};
// The attempt is spent, another will follow at `retry_ns`.
struct AttemptFailed {
  JobNo job = 0;
  Reason reason = Reason::kNone;
  TimeNs retry_ns = 0;
  BlobRef error;
  PQD_EVENT(kAttemptFailed, e.job, e.reason, e.retry_ns, e.error)
};
// The last attempt is spent, or the consumer said so: into the dead letter queue.
struct Failed {
  JobNo job = 0;
  Reason reason = Reason::kNone;
  BlobRef error;
  PQD_EVENT(kFailed, e.job, e.reason, e.error)
};
// Waited longer than its queue_timeout: into the dead letter queue.
struct TimedOut {
  JobNo job = 0;
  PQD_EVENT(kTimedOut, e.job)
};
struct Cancelled {
  JobNo job = 0;
  SessionNo by = 0;
  PQD_EVENT(kCancelled, e.job, e.by)
};
struct CancelRequested {
  JobNo job = 0;
  SessionNo by = 0;
  PQD_EVENT(kCancelRequested, e.job, e.by)
};
// Given back unspent.
struct Released {
  JobNo job = 0;
  PQD_EVENT(kReleased, e.job)
};
struct Extended {
  JobNo job = 0;
  TimeNs until_ns = 0;
  uint8_t progress = 0;
  BlobRef note;
  PQD_EVENT(kExtended, e.job, e.until_ns, e.progress, e.note)
};
// A dead letter's new life, under its old id and a new number. `row` is the earlier JobRow without its
// record.
struct Redriven {
  JobNo job = 0;
  JobNo was = 0;
  SessionNo by = 0;
  BlobRef record;
  BlobRef row;
  uint64_t ready_seq = 0;  // 0 = held by its ordering key
  PQD_EVENT(kRedriven, e.job, e.was, e.by, e.record, e.row, e.ready_seq)
};
// Somebody looked into a dead letter. `row` is its row as it stood, without the record; `record` its submit
// record: memory may have forgotten the job, and has it again until the next checkpoint.
struct Reviewed {
  JobNo job = 0;
  SessionNo by = 0;
  BlobRef resolution;
  BlobRef record;
  BlobRef row;
  PQD_EVENT(kReviewed, e.job, e.by, e.resolution, e.record, e.row)
};
// Dropped from the dead letter queue: the job stays as it ended, its payload goes. `record` is without it.
struct Purged {
  JobNo job = 0;
  SessionNo by = 0;
  BlobRef record;
  BlobRef row;
  PQD_EVENT(kPurged, e.job, e.by, e.record, e.row)
};
// A user's theoretical arrival time, see rate_limit.h. Only for users who are limited.
struct RateCharged {
  uint32_t uid = 0;
  std::string subject;
  TimeNs tat_ns = 0;
  PQD_EVENT(kRateCharged, e.uid, e.subject, e.tat_ns)
};
// A request that was turned down, for the audit trail; the receipt that tells the client stands beside it.
struct Refused {
  SessionNo session = 0;
  uint8_t lane = 0;
  uint64_t seq = 0;
  uint8_t code = 0;
  uint8_t record_kind = 0;
  JobId id;
  PQD_EVENT(kRefused, e.session, e.lane, e.seq, e.code, e.record_kind, e.id)
};

// A schedule, new or in the place of the one of its name. When it is due is in here and in CronFired, so that
// nobody who reads them needs the rules of its zone.
struct CronSet {
  std::string name;
  std::string spec;
  std::string zone;
  QueueNo queue = 0;
  TypeNo type = 0;
  uint32_t owner_uid = 0;
  SessionNo by = 0;
  TimeNs due_ns = 0;  // its first run
  BlobRef record;     // the submit record of its jobs
  ShortHash payload_hash{};
  PQD_EVENT(kCronSet, e.name, e.spec, e.zone, e.queue, e.type, e.owner_uid, e.by, e.due_ns, e.record,
            e.payload_hash)
};
struct CronRemoved {
  std::string name;
  SessionNo by = 0;
  PQD_EVENT(kCronRemoved, e.name, e.by)
};
// The run that was due at `due_ns` is over and done with: its job is in the Submitted after this, or `code`
// says why there is none.
struct CronFired {
  std::string name;
  TimeNs due_ns = 0;
  TimeNs next_ns = 0;  // the next run; 0 = none any more
  uint8_t code = 0;    // Error
  PQD_EVENT(kCronFired, e.name, e.due_ns, e.next_ns, e.code)
};

#undef PQD_EVENT

// About a job of durability `memory`, or several: such an event stands in no commit.
template <class Event>
bool is_of_memory(const Event& event) {
  if constexpr (requires { event.job; }) return is_memory(event.job);
  if constexpr (requires { event.jobs; }) return is_memory(event.jobs.front());
  return false;
}

}  // namespace pqd
