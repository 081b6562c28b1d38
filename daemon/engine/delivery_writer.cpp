#include "daemon/engine/delivery_writer.h"

#include <cstdlib>

#include "core/down_record.h"
#include "core/submit_record.h"

namespace pqd {
namespace {

DeliveryHead head_of(DownKind kind, const DeliveryEffect& delivery) {
  DeliveryHead head;
  head.head.kind = static_cast<uint8_t>(kind);
  head.number = delivery.number;
  head.token = delivery.token;
  head.id = delivery.id;
  head.subscription = delivery.subscription;
  head.attempt = delivery.attempt;
  head.max_attempts = delivery.max_attempts;
  head.owner_uid = delivery.owner_uid;
  // The client tells neighbours apart by it, no more.
  head.batch = delivery.batch == 0 ? 0 : static_cast<uint32_t>(delivery.batch % UINT32_MAX) + 1;
  head.batch_last = delivery.batch_last ? 1 : 0;
  return head;
}

bool write(RingWriter& ring, const DeliveryView& view) {
  const auto bytes = static_cast<uint32_t>(delivery_record_bytes(view));
  const auto room = ring.reserve(bytes);
  if (room.empty()) return false;
  write_delivery_record(view, room);
  ring.commit(bytes);
  return true;
}

}  // namespace

bool write_delivery(RingWriter& ring, const DeliveryEffect& delivery, const State& state, int64_t skew_ns) {
  const auto submit = read_submit_record(state.blocks.view(delivery.record));
  if (!submit) std::abort();
  DeliveryView view;
  view.head = head_of(DownKind::kDelivery, delivery);
  view.head.lease_until_ms = (delivery.lease_until_ns + skew_ns) / kMillisecondNs;
  view.head.priority = submit->head.priority;
  view.head.mode = submit->head.mode;
  view.head.delivery = submit->head.delivery;
  view.head.durability = submit->head.durability;
  view.queue = submit->queue;
  view.type = submit->type;
  view.subject = submit->subject;
  view.traceparent = submit->traceparent;
  view.ordering_key = submit->ordering_key;
  view.metadata = submit->metadata;
  view.payload = submit->payload;
  return write(ring, view);
}

bool write_notice(RingWriter& ring, DownKind kind, const DeliveryEffect& delivery) {
  DeliveryView view;
  view.head = head_of(kind, delivery);
  view.head.number = 0;  // its delivery's is for our own use
  return write(ring, view);
}

}  // namespace pqd
