// A job's durable facts: one flat struct that memory, journal replay and checkpoint rows share. What is bulky
// or rare (payload, strings, attempt history, result) stands beside it, see job_row.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/job_id.h"

namespace pqd {

using JobNo = uint64_t;      // arrival number, growing over the life of a store; 0 = none
using SessionNo = uint64_t;  // a client's session, never reused; 0 = none
using QueueNo = uint32_t;    // index into the table of queues
using TypeNo = uint32_t;     // index into the table of type names
using TimeNs = int64_t;      // nanoseconds since the Unix epoch, monotone over restarts

// Jobs of durability `memory` have this bit in their numbers, and no commit and no store ever has one of them.
inline constexpr JobNo kMemoryJob = JobNo{1} << 63;
constexpr bool is_memory(JobNo job) { return (job & kMemoryJob) != 0; }
// The order in which jobs came, whatever their durability.
constexpr uint64_t arrival(JobNo job) { return job & ~kMemoryJob; }

inline constexpr TimeNs kMillisecondNs = 1'000'000;
inline constexpr TimeNs kSecondNs = 1'000'000'000;

// All values below are in the journal and in the C ABI: append, never renumber.
enum class JobState : uint8_t { kPending, kAssigned, kProcessing, kCompleted, kFailed, kTimeout, kCancelled };
inline constexpr uint8_t kJobStateCount = 7;
constexpr bool is_finished(JobState state) { return state >= JobState::kCompleted; }

// What a pending job waits for. kParked: for room in a full queue, not yet accepted. kHeld: for the jobs
// before it that have the same ordering key; its own time and its queue_timeout begin when they are finished.
// kCollecting: for its batch to be complete.
enum class Pending : uint8_t { kReady, kScheduled, kBackoff, kParked, kHeld, kCollecting };

enum class Mode : uint8_t { kFifo, kPriority, kBatch };
enum class Delivery : uint8_t { kAtLeastOnce, kAtMostOnce };
enum class Durability : uint8_t { kFsync, kOs, kMemory };

// Why an attempt or a job ended as it did.
enum class Reason : uint8_t {
  kNone,
  kFailedByConsumer,
  kLeaseExpired,
  kConsumerDied,
  kDoNotRetry,
  kQueueTimeout,
  kCancelled,
  kDeliveryLost,
};
inline constexpr uint8_t kReasonCount = 8;

inline constexpr uint8_t kPriorityLow = 1;
inline constexpr uint8_t kPriorityNormal = 5;
inline constexpr uint8_t kPriorityHigh = 10;
inline constexpr uint8_t kPriorityCritical = 20;

std::string_view state_name(JobState state);
std::string_view mode_name(Mode mode);
std::string_view delivery_name(Delivery delivery);
std::string_view durability_name(Durability durability);
std::string_view reason_name(Reason reason);
// The error of the set that the reason stands for: PROCESSING_TIMEOUT for an expired lease,
// WORKER_UNAVAILABLE for a consumer that died, REQUEST_TIMEOUT for a job that waited too long; kOk for what
// programs decided.
Error error_of(Reason reason);
std::optional<JobState> parse_state(std::string_view text);
std::optional<Mode> parse_mode(std::string_view text);
std::optional<Delivery> parse_delivery(std::string_view text);
std::optional<Durability> parse_durability(std::string_view text);

// 1..64 bytes of [A-Za-z0-9._:-].
bool valid_name(std::string_view name);

// The fencing token of a lease. A power cut may roll numbers back, the epoch (one per engine start) tells
// them apart.
struct LeaseToken {
  JobNo job = 0;
  uint64_t lease = 0;
  uint32_t epoch = 0;
  uint32_t reserved = 0;
  friend bool operator==(const LeaseToken&, const LeaseToken&) = default;
};
static_assert(sizeof(LeaseToken) == 24);

struct JobCore {
  JobId id;
  JobNo no = 0;
  uint64_t ready_seq = 0;  // order of becoming ready, or of beginning to collect; 0 = not that far
  SessionNo submitter = 0;
  SessionNo holder = 0;  // session that holds the lease; 0 = none
  uint64_t lease = 0;    // number of the latest lease; of a parked submit: its record's number in the lane
  uint64_t delivery_no = 0;  // number of the delivery within its holder's session
  TimeNs created_ns = 0;
  TimeNs start_after_ns = 0;  // not_before, or the end of the backoff
  TimeNs ready_ns = 0;        // when it last became ready, or began to collect
  TimeNs assigned_ns = 0;
  TimeNs lease_until_ns = 0;  // of a parked submit: how long it waits for room
  TimeNs finished_ns = 0;
  uint32_t lease_epoch = 0;
  uint32_t owner_uid = 0;
  uint32_t subscription = 0;  // under which the holder got it; of a parked submit: its lane
  QueueNo queue = 0;
  TypeNo type = 0;
  uint32_t queue_timeout_ms = 0;
  uint32_t processing_timeout_ms = 0;
  uint32_t backoff_first_ms = 0;
  uint32_t backoff_cap_ms = 0;
  uint32_t payload_bytes = 0;
  uint16_t attempts = 0;
  uint16_t max_attempts = 0;
  uint16_t failures = 0;  // attempts that the consumer failed
  uint16_t deaths = 0;    // attempts that ended with the consumer's death or an expired lease
  JobState state = JobState::kPending;
  Pending pending = Pending::kReady;
  Mode mode = Mode::kFifo;
  uint8_t priority = kPriorityNormal;
  Delivery delivery = Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  Reason reason = Reason::kNone;
  uint8_t progress = 0;
  bool cancel_requested = false;
  bool backoff_jitter = false;
  bool redriven = false;
  bool keyed = false;     // has an ordering key
  bool reviewed = false;  // a dead letter that somebody has looked into, in this life
  bool purged = false;    // was a dead letter: the payload is gone, no redrive
  // Its place, from 1, in the batch that it is delivered with, from the forming to the end of the attempt; 0
  // = in none.
  uint16_t batch_place = 0;

  // The rank that dispatch orders by: the priority, or NORMAL for fifo jobs.
  uint8_t rank() const { return mode == Mode::kPriority ? priority : kPriorityNormal; }
  // The batch, named by the ready_seq of its first; 0 = none.
  uint64_t batch() const { return batch_place == 0 ? 0 : ready_seq - (batch_place - 1u); }
  LeaseToken token() const { return {no, lease, lease_epoch, 0}; }
};
static_assert(sizeof(JobCore) == 176 && std::is_trivially_copyable_v<JobCore>);

// Stands in the dead letter queue, which is in the store: jobs of durability `memory` have no place there.
constexpr bool is_dead_letter(const JobCore& job) {
  return !is_memory(job.no) && (job.state == JobState::kFailed || job.state == JobState::kTimeout) &&
         !job.purged;
}

}  // namespace pqd
