// Why a job is where it is, as a value with a byte form: the answer to the question that people ask most of a
// queue. Pure; any thread.
#pragma once

#include <expected>
#include <string>

#include "core/bytes.h"
#include "core/error.h"
#include "core/job.h"

namespace pqd {

// What a job waits for. Values are in the answers of the protocol: append, never renumber.
enum class Awaits : uint8_t {
  kNothing = 0,    // it is finished
  kRoom = 1,       // parked: for room in its full queue, `ahead` submits before it, until `until_ns`
  kItsTime = 2,    // for not_before, at `until_ns`
  kBackoff = 3,    // for its next attempt, at `until_ns`
  kItsKey = 4,     // for `ahead` jobs with its ordering key, `behind` first (empty = not the asker's to see)
  kResume = 5,     // its queue is paused
  kMaxActive = 6,  // `active` jobs of its queue are in hand, the most that may be
  kConsumer = 7,   // nobody takes its type
  kCredit = 8,     // everybody who takes its type has both hands full
  kItsTurn = 9,    // ready, behind `ahead` others
  kSettling = 10,  // a consumer has it: session, pid and uid, until `until_ns`
  kBatch = 11,     // for its batch to be complete: `ahead` collect before it, at the latest until `until_ns`
};

// In words, such as "a consumer for its type".
std::string_view awaits_text(Awaits awaits);
// For programs, such as "consumer".
std::string_view awaits_name(Awaits awaits);

struct Explanation {
  JobId id;
  JobState state = JobState::kPending;
  Awaits awaits = Awaits::kNothing;
  Reason reason = Reason::kNone;  // of a finished job, or of its latest attempt
  bool cancel_requested = false;
  uint16_t attempts = 0;
  uint16_t max_attempts = 0;
  uint64_t ahead = 0;      // at most kExplainedAheadMax are counted
  uint64_t consumers = 0;  // subscriptions of its queue
  uint64_t active = 0;     // jobs of its queue in hand
  TimeNs until_ns = 0;     // when the wait ends by itself; 0 = never
  TimeNs timeout_ns = 0;   // when a ready job's queue_timeout ends it; 0 = never
  JobId behind;
  SessionNo holder = 0;
  uint32_t holder_pid = 0;
  uint32_t holder_uid = 0;
  std::string queue;
  std::string type;
};

inline constexpr uint64_t kExplainedAheadMax = 100'000;

Bytes encode(const Explanation& explanation);
std::expected<Explanation, Error> decode_explanation(ByteView body);

}  // namespace pqd
