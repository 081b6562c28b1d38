#include "shm/sizes.h"

#include <algorithm>
#include <bit>

#include "core/limits.h"
#include "shm/mapping.h"
#include "shm/segment.h"

namespace pqd {
namespace {

bool ring_size_ok(uint32_t bytes) {
  return std::has_single_bit(bytes) && bytes >= kRingBytesMin && bytes <= kRingBytesMax;
}

}  // namespace

std::optional<std::string_view> check_sizes(const SegmentSizes& sizes) {
  for (const uint32_t bytes : sizes.lane_bytes)
    if (!ring_size_ok(bytes)) return "A lane's size must be a power of two from 64 KiB to 256 MiB.";
  if (!ring_size_ok(sizes.deliveries_bytes) || !ring_size_ok(sizes.answers_bytes))
    return "The deliveries and answers sizes must be powers of two from 64 KiB to 256 MiB.";
  if (!std::has_single_bit(sizes.receipt_slots) || sizes.receipt_slots < kReceiptSlotsMin ||
      sizes.receipt_slots > kReceiptSlotsMax)
    return "The number of receipt slots must be a power of two from 64 to 65536.";
  return std::nullopt;
}

SegmentSizes with_defaults(const SegmentSizes& wanted) {
  SegmentSizes sizes;
  for (size_t i = 0; i < kLaneCount; ++i)
    if (wanted.lane_bytes[i] != 0) sizes.lane_bytes[i] = wanted.lane_bytes[i];
  if (wanted.receipt_slots != 0) sizes.receipt_slots = wanted.receipt_slots;
  if (wanted.deliveries_bytes != 0) sizes.deliveries_bytes = wanted.deliveries_bytes;
  if (wanted.answers_bytes != 0) sizes.answers_bytes = wanted.answers_bytes;
  return sizes;
}

uint32_t deliveries_bytes_for(uint32_t payload_bytes_max) {
  static_assert(2 * std::bit_ceil(limits::kPayloadBytesMax + limits::kRecordOverheadMax) <= kRingBytesMax);
  const uint32_t record_bytes = payload_bytes_max + static_cast<uint32_t>(limits::kRecordOverheadMax);
  return std::max(2 * std::bit_ceil(record_bytes), kRingBytesMin);
}

uint64_t session_bytes(const SegmentSizes& sizes) {
  return up_layout(sizes).file_bytes() + down_layout(sizes).file_bytes();
}

}  // namespace pqd
