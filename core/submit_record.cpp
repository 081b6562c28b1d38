#include "core/submit_record.h"

#include <cassert>
#include <new>

#include "core/limits.h"

namespace pqd {

size_t submit_record_bytes(const SubmitView& s) {
  return sizeof(SubmitHead) + s.queue.size() + s.type.size() + s.idempotency_key.size() +
         s.ordering_key.size() + s.subject.size() + s.traceparent.size() + s.metadata.size() +
         s.payload.size();
}

// The head is made where it belongs: of one that was just filled field by field no copy can be made at once,
// a CPU loads 16 bytes together only when the smaller stores to them are in its cache.
void write_submit_record(const SubmitView& s, std::span<std::byte> out) {
  assert(out.size() == submit_record_bytes(s));
  assert(reinterpret_cast<uintptr_t>(out.data()) % alignof(SubmitHead) == 0);
  SubmitHead& head = *new (out.data()) SubmitHead(s.head);
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
  std::byte* at = out.data() + sizeof head;
  const auto put = [&at](const void* from, size_t n) {
    if (n != 0) std::memcpy(at, from, n);
    at += n;
  };
  for (const std::string_view* text :
       {&s.queue, &s.type, &s.idempotency_key, &s.ordering_key, &s.subject, &s.traceparent, &s.metadata}) {
    put(text->data(), text->size());
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

// Made in its place at once: a view that is filled part by part and then copied costs more than all the rest
// here.
std::expected<SubmitView, Error> read_submit_record(ByteView record) {
  if (record.size() < sizeof(SubmitHead)) return std::unexpected(Error::kInvalidRequest);
  SubmitHead h;
  std::memcpy(&h, record.data(), sizeof h);
  const size_t queue = sizeof h;
  const size_t type = queue + h.queue_bytes;
  const size_t idempotency_key = type + h.type_bytes;
  const size_t ordering_key = idempotency_key + h.idempotency_key_bytes;
  const size_t subject = ordering_key + h.ordering_key_bytes;
  const size_t traceparent = subject + h.subject_bytes;
  const size_t metadata = traceparent + h.traceparent_bytes;
  const size_t payload = metadata + h.metadata_bytes;
  if (h.head.size_bytes != record.size() || record.size() != payload + h.payload_bytes)
    return std::unexpected(Error::kInvalidRequest);
  const auto text = [&record](size_t from, size_t to) { return as_text(record.subspan(from, to - from)); };
  return std::expected<SubmitView, Error>(std::in_place, h, text(queue, type), text(type, idempotency_key),
                                          text(idempotency_key, ordering_key), text(ordering_key, subject),
                                          text(subject, traceparent), text(traceparent, metadata),
                                          text(metadata, payload), record.subspan(payload));
}

}  // namespace pqd
