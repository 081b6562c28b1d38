// Typed views of a session's two files and of a worker's wake page, over a Mapping. They give addresses,
// nothing else: who may store what is in shm/abi.h. A segment mapped read-only is to be kept const.
#pragma once

#include "shm/abi.h"
#include "shm/mapping.h"

namespace pqd {

MappingLayout up_layout(const SegmentSizes& sizes);
MappingLayout down_layout(const SegmentSizes& sizes);
MappingLayout wake_layout();

class UpSegment {
 public:
  UpSegment() = default;
  // REQUIRES: check_sizes(sizes) has nothing to say. The same holds for every `sizes` below.
  static std::expected<UpSegment, SysError> map(int fd, const SegmentSizes& sizes, Access access,
                                                OnFork on_fork);
  static UpSegment adopt(std::byte* base, const SegmentSizes& sizes);

  UpHeader& header() { return *reinterpret_cast<UpHeader*>(mapping_.base()); }
  const UpHeader& header() const { return *reinterpret_cast<const UpHeader*>(mapping_.base()); }
  // Both copies: valid for 2 * ring_bytes(lane).
  std::byte* ring_data(Lane lane) { return mapping_.part(1 + lane_index(lane)); }
  const std::byte* ring_data(Lane lane) const { return mapping_.part(1 + lane_index(lane)); }
  uint32_t ring_bytes(Lane lane) const { return sizes_.lane_bytes[lane_index(lane)]; }

  const SegmentSizes& sizes() const { return sizes_; }
  std::byte* base() const { return mapping_.base(); }
  explicit operator bool() const { return static_cast<bool>(mapping_); }

 private:
  UpSegment(Mapping mapping, const SegmentSizes& sizes) : mapping_(std::move(mapping)), sizes_(sizes) {}

  Mapping mapping_;
  SegmentSizes sizes_;
};

class DownSegment {
 public:
  DownSegment() = default;
  static std::expected<DownSegment, SysError> map(int fd, const SegmentSizes& sizes, Access access,
                                                  OnFork on_fork);
  static DownSegment adopt(std::byte* base, const SegmentSizes& sizes);

  // For a client: another file with the same content takes this one's place, see Mapping::replace().
  std::expected<void, SysError> replace(int fd) {
    return mapping_.replace(fd, Access::kReadOnly, OnFork::kDrop);
  }

  // Fills the header's first line. Only before the segment is handed out.
  void describe(uint64_t session, uint32_t tag, uint32_t features, uint32_t max_payload_bytes);

  DownHeader& header() { return *reinterpret_cast<DownHeader*>(mapping_.base()); }
  const DownHeader& header() const { return *reinterpret_cast<const DownHeader*>(mapping_.base()); }
  LaneDown& lane(Lane lane) { return header().lanes[lane_index(lane)]; }
  const LaneDown& lane(Lane lane) const { return header().lanes[lane_index(lane)]; }

  Receipt* receipts() { return reinterpret_cast<Receipt*>(mapping_.part(1)); }
  const Receipt* receipts() const { return reinterpret_cast<const Receipt*>(mapping_.part(1)); }
  // Where the receipt with this number lives. REQUIRES: number >= 1.
  Receipt& receipt_slot(uint64_t number) { return receipts()[(number - 1) & (sizes_.receipt_slots - 1)]; }

  std::byte* deliveries_data() { return mapping_.part(2); }
  const std::byte* deliveries_data() const { return mapping_.part(2); }
  std::byte* answers_data() { return mapping_.part(3); }
  const std::byte* answers_data() const { return mapping_.part(3); }

  const SegmentSizes& sizes() const { return sizes_; }
  std::byte* base() const { return mapping_.base(); }
  explicit operator bool() const { return static_cast<bool>(mapping_); }

 private:
  DownSegment(Mapping mapping, const SegmentSizes& sizes) : mapping_(std::move(mapping)), sizes_(sizes) {}

  Mapping mapping_;
  SegmentSizes sizes_;
};

class WakeSegment {
 public:
  WakeSegment() = default;
  static std::expected<WakeSegment, SysError> map(int fd, Access access, OnFork on_fork);
  static WakeSegment adopt(std::byte* base);

  // For a client: the page of another supervisor.
  std::expected<void, SysError> replace(int fd) {
    return mapping_.replace(fd, Access::kReadOnly, OnFork::kDrop);
  }

  WakePage& page() { return *reinterpret_cast<WakePage*>(mapping_.base()); }
  const WakePage& page() const { return *reinterpret_cast<const WakePage*>(mapping_.base()); }
  std::byte* base() const { return mapping_.base(); }
  explicit operator bool() const { return static_cast<bool>(mapping_); }

 private:
  explicit WakeSegment(Mapping mapping) : mapping_(std::move(mapping)) {}

  Mapping mapping_;
};

}  // namespace pqd
