#include "shm/segment.h"

namespace pqd {

MappingLayout up_layout(const SegmentSizes& sizes) {
  MappingLayout layout;
  layout.add(kPageBytes, 1);
  for (const uint32_t bytes : sizes.lane_bytes) layout.add(bytes, 2);
  return layout;
}

MappingLayout down_layout(const SegmentSizes& sizes) {
  MappingLayout layout;
  layout.add(kPageBytes, 1);
  layout.add(uint64_t{sizes.receipt_slots} * sizeof(Receipt), 1);
  layout.add(sizes.deliveries_bytes, 2);
  layout.add(sizes.answers_bytes, 2);
  return layout;
}

MappingLayout wake_layout() {
  MappingLayout layout;
  layout.add(kPageBytes, 1);
  return layout;
}

std::expected<UpSegment, SysError> UpSegment::map(int fd, const SegmentSizes& sizes, Access access,
                                                  OnFork on_fork) {
  auto mapping = Mapping::map(fd, up_layout(sizes), access, on_fork);
  if (!mapping) return std::unexpected(mapping.error());
  return UpSegment(std::move(*mapping), sizes);
}

UpSegment UpSegment::adopt(std::byte* base, const SegmentSizes& sizes) {
  return {Mapping::adopt(base, up_layout(sizes)), sizes};
}

std::expected<DownSegment, SysError> DownSegment::map(int fd, const SegmentSizes& sizes, Access access,
                                                      OnFork on_fork) {
  auto mapping = Mapping::map(fd, down_layout(sizes), access, on_fork);
  if (!mapping) return std::unexpected(mapping.error());
  return DownSegment(std::move(*mapping), sizes);
}

DownSegment DownSegment::adopt(std::byte* base, const SegmentSizes& sizes) {
  return {Mapping::adopt(base, down_layout(sizes)), sizes};
}

void DownSegment::describe(uint64_t session, uint32_t tag, uint32_t features, uint32_t max_payload_bytes) {
  DownHeader& down = header();
  down.magic = kMagic;
  down.abi = kAbiVersion;
  down.features = features;
  down.session = session;
  down.sizes = sizes_;
  down.max_payload_bytes = max_payload_bytes;
  down.tag = tag;
}

std::expected<WakeSegment, SysError> WakeSegment::map(int fd, Access access, OnFork on_fork) {
  auto mapping = Mapping::map(fd, wake_layout(), access, on_fork);
  if (!mapping) return std::unexpected(mapping.error());
  return WakeSegment(std::move(*mapping));
}

WakeSegment WakeSegment::adopt(std::byte* base) { return WakeSegment(Mapping::adopt(base, wake_layout())); }

}  // namespace pqd
