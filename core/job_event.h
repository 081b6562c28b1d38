// What a subscriber is told about a job: one change of it, or that changes were left out. Names no payload,
// key or result. Part of the protocol, as the body of an answer. Pure; any thread.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/error.h"
#include "core/job.h"

namespace pqd {

// Values are in the protocol and in the C ABI: append, never renumber.
enum class ChangeKind : uint8_t {
  kGap = 0,        // no change: `lost` of them were not told
  kSubmitted = 1,  // accepted; one that waited for room, when it found some
  kReady = 2,      // its time came: not_before, the end of a backoff, its turn among its ordering key, its batch
  kAssigned = 3,   // in a consumer's hands
  kStarted = 4,
  kProgress = 5,
  kExtended = 6,       // the lease was renewed, and nothing said about progress
  kReleased = 7,       // given back unspent
  kAttemptFailed = 8,  // another attempt will follow
  kCompleted = 9,
  kFailed = 10,  // for good
  kTimedOut = 11,
  kCancelled = 12,
  kCancelRequested = 13,  // its consumer was asked to stop
  kRedriven = 14,
  kWatching = 15,  // no change: the watch has begun, what happens from now on is told
  kReviewed = 16,  // a dead letter
  kPurged = 17,
};
inline constexpr uint8_t kChangeKindCount = 18;

// "submitted", "attempt-failed" and so on.
std::string_view change_name(ChangeKind kind);

struct JobEvent {
  ChangeKind kind = ChangeKind::kGap;
  // How many changes of its watch there have been so far, this one and those that were left out included.
  uint64_t number = 0;
  uint64_t lost = 0;         // of a gap: how many were left out; 0 when nobody can know
  bool interrupted = false;  // of a gap: the daemon's engine was another one meanwhile
  JobId id;
  TimeNs when_ns = 0;
  std::string queue;
  std::string type;
  uint32_t owner_uid = 0;
  uint16_t attempt = 0;
  JobState state = JobState::kPending;  // after the change
  Reason reason = Reason::kNone;
  uint8_t progress = 0;
  uint32_t watch = 0;  // of the client that reads it; not in the bytes
};

Bytes encode(const JobEvent& event);
std::expected<JobEvent, Error> decode_job_event(ByteView body);

}  // namespace pqd
