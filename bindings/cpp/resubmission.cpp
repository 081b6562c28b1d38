#include "bindings/cpp/resubmission.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>

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

bool is_submit(ByteView record, Lane lane) {
  return lane != Lane::kControl && static_cast<RecordKind>(head_of(record).kind) == RecordKind::kSubmit;
}

SubmitHead submit_head_of(ByteView record) {
  SubmitHead head;
  std::memcpy(&head, record.data(), sizeof head);
  return head;
}

// Sent again, it might run twice.
bool must_not_be_sent_again(const SubmitHead& head) {
  return static_cast<Durability>(head.durability) == Durability::kMemory &&
         static_cast<Delivery>(head.delivery) == Delivery::kAtMostOnce;
}

// How many records from this one on belong together: a batch is taken as a whole, or one.
size_t records_together(std::span<const OldRecord> records, Lane lane) {
  if (!is_submit(records.front().bytes, lane)) return 1;
  const SubmitHead head = submit_head_of(records.front().bytes);
  const size_t left = head.batch_count > head.batch_index ? head.batch_count - head.batch_index : 1;
  return std::clamp<size_t>(left, 1, records.size());
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

Resubmission resubmit(const ClientSession& old, ClientSession& fresh) {
  Resubmission done;
  for (size_t index = 0; index < kLaneCount; ++index) {
    const auto lane = static_cast<Lane>(index);
    const std::vector<OldRecord> records = records_of(old, lane);
    const auto undecided = [&](const OldRecord& record) {
      const auto durability = static_cast<size_t>(durability_of(record.bytes, lane));
      return record.sequence > old.lanes[index].marks[durability];
    };
    for (std::span<const OldRecord> left(records); !left.empty();) {
      const auto together = left.first(records_together(left, lane));
      left = left.subspan(together.size());
      const bool give_up = std::ranges::any_of(together, [&](const OldRecord& record) {
        return is_submit(record.bytes, lane) && undecided(record) &&
               must_not_be_sent_again(submit_head_of(record.bytes));
      });
      for (const OldRecord& record : together) {
        if (!undecided(record)) continue;
        if (!is_carried_over(static_cast<RecordKind>(head_of(record.bytes).kind))) continue;
        if (!give_up) copy_marked(record.bytes, lane, fresh);
        (give_up ? done.given_up : done.moved)[index].push_back(record.sequence);
      }
    }
    fresh.writers[index].publish();
  }
  return done;
}

}  // namespace pqd
