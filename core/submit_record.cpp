#include "core/submit_record.h"

#include <cassert>

#include "core/limits.h"

namespace pqd {

size_t submit_record_bytes(const SubmitView& s) {
  return sizeof(SubmitHead) + s.queue.size() + s.type.size() + s.idempotency_key.size() +
         s.ordering_key.size() + s.subject.size() + s.traceparent.size() + s.metadata.size() +
         s.payload.size();
}

void write_submit_record(const SubmitView& s, std::span<std::byte> out) {
  assert(out.size() == submit_record_bytes(s));
  SubmitHead head = s.head;
  head.head.size_bytes = static_cast<uint32_t>(out.size());
  head.head.kind = static_cast<uint8_t>(RecordKind::kSubmit);
  head.head.version = 1;
  head.payload_bytes = static_cast<uint32_t>(s.payload.size());
  head.metadata_bytes = static_cast<uint16_t>(s.metadata.size());
  head.queue_bytes = static_cast<uint8_t>(s.queue.size());
  head.type_bytes = static_cast<uint8_t>(s.type.size());
  head.idempotency_key_bytes = static_cast<uint8_t>(s.idempotency_key.size());
  head.ordering_key_bytes = static_cast<uint8_t>(s.ordering_key.size());
  head.subject_bytes = static_cast<uint8_t>(s.subject.size());
  head.traceparent_bytes = static_cast<uint8_t>(s.traceparent.size());
  std::byte* at = out.data();
  const auto put = [&at](const void* from, size_t n) {
    if (n != 0) std::memcpy(at, from, n);
    at += n;
  };
  put(&head, sizeof head);
  for (const std::string_view text :
       {s.queue, s.type, s.idempotency_key, s.ordering_key, s.subject, s.traceparent, s.metadata}) {
    put(text.data(), text.size());
  }
  put(s.payload.data(), s.payload.size());
}

SubmitFault check_submit(const SubmitView& s, size_t payload_bytes_max) {
  const SubmitHead& h = s.head;
  if (!valid_name(s.queue)) {
    return {Error::kInvalidRequest, "the queue's name must be 1 to 64 of A-Z a-z 0-9 . _ : -"};
  }
  if (!valid_name(s.type)) {
    return {Error::kInvalidRequest, "the type must be 1 to 64 of A-Z a-z 0-9 . _ : -"};
  }
  if (h.priority < limits::kPriorityMin || h.priority > limits::kPriorityMax) {
    return {Error::kInvalidPriority, "the priority must be 1 to 20"};
  }
  if (h.mode > static_cast<uint8_t>(Mode::kBatch)) {
    return {Error::kInvalidMode, "the mode must be fifo, priority or batch"};
  }
  if (h.delivery > static_cast<uint8_t>(Delivery::kAtMostOnce)) {
    return {Error::kInvalidRequest, "the delivery must be at-least-once or at-most-once"};
  }
  if (h.durability > static_cast<uint8_t>(Durability::kMemory)) {
    return {Error::kInvalidRequest, "the durability must be fsync, os or memory"};
  }
  if (s.payload.size() > payload_bytes_max) return {Error::kPayloadTooLarge, "the payload is over the limit"};
  if (s.metadata.size() > limits::kMetadataBytesMax)
    return {Error::kPayloadTooLarge, "metadata is over 4 KiB"};
  if (s.idempotency_key.size() > limits::kKeyBytesMax) {
    return {Error::kInvalidRequest, "the idempotency key is over 128 bytes"};
  }
  // What should the key lead to when the job is gone with its daemon?
  if (!s.idempotency_key.empty() && h.durability == static_cast<uint8_t>(Durability::kMemory)) {
    return {Error::kInvalidRequest,
            "a job of durability memory has no idempotency key, because the key would outlive it; use "
            "durability os, or leave the key out"};
  }
  if (s.ordering_key.size() > limits::kKeyBytesMax) {
    return {Error::kInvalidRequest, "the ordering key is over 128 bytes"};
  }
  if (s.subject.size() > limits::kSubjectBytesMax)
    return {Error::kInvalidRequest, "the subject is over 128 bytes"};
  if (s.traceparent.size() > limits::kTraceparentBytesMax) {
    return {Error::kInvalidRequest, "the traceparent is over 64 bytes"};
  }
  if (h.not_before_ms < 0) return {Error::kInvalidRequest, "the earliest start lies before 1970"};
  if (h.not_before_ms > limits::kUnixMsMax) {
    return {Error::kInvalidRequest, "the earliest start lies after the year 2255"};
  }
  if (h.batch_count == 0 || h.batch_count > limits::kBatchSubmitMax || h.batch_index >= h.batch_count) {
    return {Error::kInvalidRequest, "an atomic submit takes 1 to 65536 jobs"};
  }
  if (!h.id.well_formed()) return {Error::kInvalidRequest, "the id is not a version 7 UUID"};
  return {};
}

std::expected<SubmitView, Error> read_submit_record(ByteView record) {
  if (record.size() < sizeof(SubmitHead)) return std::unexpected(Error::kInvalidRequest);
  SubmitView s;
  std::memcpy(&s.head, record.data(), sizeof(SubmitHead));
  const SubmitHead& h = s.head;
  const size_t strings = size_t{h.queue_bytes} + h.type_bytes + h.idempotency_key_bytes +
                         h.ordering_key_bytes + h.subject_bytes + h.traceparent_bytes + h.metadata_bytes;
  if (h.head.size_bytes != record.size() || record.size() - sizeof(SubmitHead) != strings + h.payload_bytes) {
    return std::unexpected(Error::kInvalidRequest);
  }
  size_t at = sizeof(SubmitHead);
  const auto take = [&](size_t n) {
    const ByteView part = record.subspan(at, n);
    at += n;
    return part;
  };
  s.queue = as_text(take(h.queue_bytes));
  s.type = as_text(take(h.type_bytes));
  s.idempotency_key = as_text(take(h.idempotency_key_bytes));
  s.ordering_key = as_text(take(h.ordering_key_bytes));
  s.subject = as_text(take(h.subject_bytes));
  s.traceparent = as_text(take(h.traceparent_bytes));
  s.metadata = as_text(take(h.metadata_bytes));
  s.payload = take(h.payload_bytes);
  return s;
}

}  // namespace pqd
