#include "bindings/cpp/resubmission.h"

#include <cstdlib>
#include <cstring>

#include "core/control_record.h"

namespace pqd {
namespace {

struct OldRecord {
  ByteView bytes;
  uint64_t sequence = 0;
};

// Everything of the lane that was not freed. Its numbers follow from the count: the last one is known.
std::vector<OldRecord> records_of(const ClientSession& old, Lane lane) {
  const size_t index = lane_index(lane);
  const uint32_t capacity = old.up.ring_bytes(lane);
  const std::byte* data = old.up.ring_data(lane);
  uint64_t cursor = old.down.lane(lane).head.load(std::memory_order_acquire);
  std::vector<OldRecord> records;
  while (cursor != old.writers[index].published()) {
    const std::byte* record = data + (cursor & (capacity - 1));
    uint32_t bytes = 0;
    std::memcpy(&bytes, record, sizeof bytes);
    records.push_back({{record, bytes}, 0});
    cursor += padded_record_bytes(bytes);
  }
  uint64_t sequence = old.lanes[index].sent - records.size();
  for (OldRecord& record : records) record.sequence = ++sequence;
  return records;
}

RecordHead head_of(ByteView record) {
  RecordHead head;
  std::memcpy(&head, record.data(), sizeof head);
  return head;
}

Durability durability_of(ByteView record, Lane lane) {
  if (lane == Lane::kControl) return durability_of_control(record);
  SubmitHead head;
  std::memcpy(&head, record.data(), sizeof head);
  return static_cast<Durability>(head.durability);
}

bool is_carried_over(RecordKind kind) {
  switch (kind) {
    case RecordKind::kSubscribe:
    case RecordKind::kUnsubscribe:
    case RecordKind::kQuery:
    case RecordKind::kWatch:
    case RecordKind::kUnwatch:
      return false;
    default:
      return true;
  }
}

void copy_marked(ByteView record, Lane lane, ClientSession& fresh) {
  RingWriter& writer = fresh.writer(lane);
  const auto out = writer.reserve(static_cast<uint32_t>(record.size()));
  // What lay in a ring at least as small fits an empty one.
  if (out.empty()) std::abort();
  std::memcpy(out.data(), record.data(), record.size());
  RecordHead head = head_of(record);
  head.flags |= kFlagResubmitted;
  std::memcpy(out.data(), &head, sizeof head);
  writer.commit(static_cast<uint32_t>(record.size()));
  fresh.count(lane, durability_of(record, lane));
}

}  // namespace

MovedRecords resubmit(const ClientSession& old, ClientSession& fresh) {
  MovedRecords moved;
  for (size_t index = 0; index < kLaneCount; ++index) {
    const auto lane = static_cast<Lane>(index);
    for (const OldRecord& record : records_of(old, lane)) {
      const auto durability = static_cast<size_t>(durability_of(record.bytes, lane));
      if (record.sequence <= old.lanes[index].marks[durability]) continue;
      if (!is_carried_over(static_cast<RecordKind>(head_of(record.bytes).kind))) continue;
      copy_marked(record.bytes, lane, fresh);
      moved[index].push_back(record.sequence);
    }
    fresh.writers[index].publish();
  }
  return moved;
}

}  // namespace pqd
