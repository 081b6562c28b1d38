#include "core/down_record.h"

#include <cassert>

namespace pqd {

size_t delivery_record_bytes(const DeliveryView& v) {
  return sizeof(DeliveryHead) + v.queue.size() + v.type.size() + v.subject.size() + v.traceparent.size() +
         v.ordering_key.size() + v.metadata.size() + v.payload.size();
}

void write_delivery_record(const DeliveryView& v, std::span<std::byte> out) {
  assert(out.size() == delivery_record_bytes(v));
  DeliveryHead head = v.head;
  head.head.size_bytes = static_cast<uint32_t>(out.size());
  head.head.version = 1;
  head.queue_bytes = static_cast<uint8_t>(v.queue.size());
  head.type_bytes = static_cast<uint8_t>(v.type.size());
  head.subject_bytes = static_cast<uint8_t>(v.subject.size());
  head.traceparent_bytes = static_cast<uint8_t>(v.traceparent.size());
  head.ordering_key_bytes = static_cast<uint8_t>(v.ordering_key.size());
  head.metadata_bytes = static_cast<uint16_t>(v.metadata.size());
  head.payload_bytes = static_cast<uint32_t>(v.payload.size());
  std::byte* at = out.data();
  const auto put = [&at](const void* from, size_t n) {
    if (n != 0) std::memcpy(at, from, n);
    at += n;
  };
  put(&head, sizeof head);
  for (const std::string_view text :
       {v.queue, v.type, v.subject, v.traceparent, v.ordering_key, v.metadata}) {
    put(text.data(), text.size());
  }
  put(v.payload.data(), v.payload.size());
}

std::expected<DeliveryView, Error> read_delivery_record(ByteView record) {
  if (record.size() < sizeof(DeliveryHead)) return std::unexpected(Error::kInvalidRequest);
  DeliveryView v;
  std::memcpy(&v.head, record.data(), sizeof(DeliveryHead));
  ByteReader reader(record.subspan(sizeof(DeliveryHead)));
  v.queue = as_text(reader.raw_bytes(v.head.queue_bytes));
  v.type = as_text(reader.raw_bytes(v.head.type_bytes));
  v.subject = as_text(reader.raw_bytes(v.head.subject_bytes));
  v.traceparent = as_text(reader.raw_bytes(v.head.traceparent_bytes));
  v.ordering_key = as_text(reader.raw_bytes(v.head.ordering_key_bytes));
  v.metadata = as_text(reader.raw_bytes(v.head.metadata_bytes));
  v.payload = reader.raw_bytes(v.head.payload_bytes);
  if (reader.failed() || reader.remaining() != 0) return std::unexpected(Error::kInvalidRequest);
  return v;
}

}  // namespace pqd
