// What the daemon writes for a client: deliveries and notices in the deliveries ring, the parts of answers in
// the answers ring. Part of the ABI. Strings follow the fixed head without padding between.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "core/submit_record.h"

namespace pqd {

enum class DownKind : uint8_t {
  kDelivery = 1,      // a job, with its payload
  kCancelNotice = 2,  // the job under this token should stop; DeliveryHead without strings
  kVoid = 3,          // the delivery of this number was withdrawn before it could be published
  kBatchEnd = 4,      // of the batch before, no more will come: what it lacks, its consumer has no lease of
                      // any more; DeliveryHead without strings
  kAnswer = 16,
};

struct DeliveryHead {
  RecordHead head;      // kind is a DownKind
  uint64_t number = 0;  // growing within the session, from 1 on
  LeaseToken token;
  JobId id;
  int64_t lease_until_ms = 0;  // Unix milliseconds
  uint32_t payload_bytes = 0;
  uint32_t subscription = 0;
  uint16_t attempt = 0;  // 1-based
  uint16_t max_attempts = 0;
  uint16_t metadata_bytes = 0;
  uint8_t priority = 0;
  uint8_t mode = 0;
  uint8_t queue_bytes = 0;
  uint8_t type_bytes = 0;
  uint8_t subject_bytes = 0;
  uint8_t traceparent_bytes = 0;
  uint8_t ordering_key_bytes = 0;
  uint8_t delivery = 0;
  uint8_t durability = 0;
  uint8_t batch_last = 0;  // 1: the last delivery of its batch; kBatchEnd may end it, too
  uint32_t owner_uid = 0;
  uint32_t batch = 0;  // that it is delivered with; its deliveries follow each other. 0 = none
};
static_assert(sizeof(DeliveryHead) == 96 && std::is_trivially_copyable_v<DeliveryHead>);

struct DeliveryView {
  DeliveryHead head;
  std::string_view queue;
  std::string_view type;
  std::string_view subject;
  std::string_view traceparent;
  std::string_view ordering_key;
  std::string_view metadata;
  ByteView payload;
};

size_t delivery_record_bytes(const DeliveryView& view);
// REQUIRES: out.size() == delivery_record_bytes(view).
void write_delivery_record(const DeliveryView& view, std::span<std::byte> out);
std::expected<DeliveryView, Error> read_delivery_record(ByteView record);

enum class AnswerKind : uint8_t {
  kEnd = 0,
  kJob = 1,
  kQueue = 2,
  kHealth = 3,
  kExplanation = 4,
  kSchedule = 5,
  kEvent = 6,
  kMetrics = 7,
  kPath = 8,  // of a directory, as text
};

// An answer is any number of parts and then one kEnd with the outcome.
struct AnswerHead {
  RecordHead head{sizeof(AnswerHead), static_cast<uint8_t>(DownKind::kAnswer), 1, 0};
  uint64_t request = 0;
  AnswerKind kind = AnswerKind::kEnd;
  uint8_t error = 0;  // kEnd: Error
  uint8_t reserved[6] = {};
  // then the body: see info.h; kEnd: a sentence for people, or nothing
};
static_assert(sizeof(AnswerHead) == 24);

}  // namespace pqd
