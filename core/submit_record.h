// The bytes of one submitted job, as the client writes them into a lane, the commit's block keeps them and
// recovery reads them again: a fixed head, then the strings and the payload without padding between. Part of
// the ABI.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "core/bytes.h"
#include "core/error.h"
#include "core/job.h"

namespace pqd {

// Every record of every lane begins with these eight bytes. `size_bytes` counts the head and all that
// follows, without the padding to eight that the ring adds.
struct RecordHead {
  uint32_t size_bytes = 0;
  uint8_t kind = 0;     // RecordKind
  uint8_t version = 1;  // of the record's own layout
  uint16_t flags = 0;   // kFlag...
};
static_assert(sizeof(RecordHead) == 8);

enum class RecordKind : uint8_t {
  kSubmit = 1,
  kStart = 16,
  kComplete = 17,
  kFail = 18,
  kRelease = 19,
  kExtend = 20,
  kSubscribe = 32,
  kUnsubscribe = 33,
  kCancel = 48,
  kQueueControl = 49,
  kRedrive = 50,
  kPurge = 51,
  kReview = 52,
  kCronSet = 54,
  kCronRemove = 55,
  kQueueConfigure = 56,
  kWatch = 57,
  kUnwatch = 58,
  kQuery = 64,
};

// RecordHead::flags.
inline constexpr uint16_t kFlagResubmitted = 1;    // was sent in an earlier session, the answer was not seen
inline constexpr uint16_t kFlagDoNotRetry = 2;     // fail: for good
inline constexpr uint16_t kFlagRunning = 4;        // cancel: also an assigned or processing job
inline constexpr uint16_t kFlagBackoffJitter = 8;  // submit: full jitter is added to each backoff

inline constexpr uint32_t kTimeoutDefault = 0xFFFFFFFF;  // "as the queue says", where 0 means for ever

struct SubmitHead {
  RecordHead head{.size_bytes = 0, .kind = static_cast<uint8_t>(RecordKind::kSubmit)};
  JobId id;
  int64_t not_before_ms = 0;  // Unix milliseconds; 0 = now
  uint32_t payload_bytes = 0;
  uint32_t queue_timeout_ms = kTimeoutDefault;
  uint32_t processing_timeout_ms = kTimeoutDefault;  // 0 = as the queue says, too
  uint32_t backoff_first_ms = kTimeoutDefault;
  uint32_t backoff_cap_ms = kTimeoutDefault;
  uint32_t batch_count = 1;  // jobs of one atomic submit, which follow each other in one lane
  uint32_t batch_index = 0;
  uint16_t max_attempts = 0;  // 0 = as the queue says
  uint16_t metadata_bytes = 0;
  uint8_t mode = 0;
  uint8_t priority = kPriorityNormal;
  uint8_t delivery = 0;
  uint8_t durability = 0;
  uint8_t queue_bytes = 0;
  uint8_t type_bytes = 0;
  uint8_t idempotency_key_bytes = 0;
  uint8_t ordering_key_bytes = 0;
  uint8_t subject_bytes = 0;
  uint8_t traceparent_bytes = 0;
  uint16_t reserved = 0;
};
static_assert(sizeof(SubmitHead) == 80 && std::is_trivially_copyable_v<SubmitHead>);

// A view into the record's bytes: valid while they are.
struct SubmitView {
  SubmitHead head;
  std::string_view queue;
  std::string_view type;
  std::string_view idempotency_key;
  std::string_view ordering_key;
  std::string_view subject;
  std::string_view traceparent;
  std::string_view metadata;
  ByteView payload;
};

// Bytes that `submit` takes as a record. Lengths come from the views, those in `submit.head` are ignored.
size_t submit_record_bytes(const SubmitView& submit);

// Writes the record. REQUIRES: `out` has submit_record_bytes(), at a multiple of 8; check_submit() was kOk.
void write_submit_record(const SubmitView& submit, std::span<std::byte> out);

// What is wrong with the fields, and where: `what` is a fixed sentence for people. `payload_bytes_max` is the
// session's limit.
struct SubmitFault {
  Error error = Error::kOk;
  std::string_view what;
};
SubmitFault check_submit(const SubmitView& submit, size_t payload_bytes_max);

// Splits a record into its parts without judging them; the error is kInvalidRequest when the lengths do not
// add up. REQUIRES: `record` is private memory, it is read more than once.
std::expected<SubmitView, Error> read_submit_record(ByteView record);

}  // namespace pqd
