// Ours: a lane of a session's two memory files, with the reader that believes nothing and the watermarks that
// free its room, as an engine has them.
#pragma once

#include <array>
#include <cstring>
#include <span>

#include "shm/memfd.h"
#include "shm/ring.h"
#include "shm/segment.h"
#include "shm/watermarks.h"
#include "tests/bench/transport.h"

namespace pqd::bench {

class LaneTransport {
 public:
  static constexpr Lane kLane = Lane::kNormal;
  static constexpr uint32_t kFrameBytes = 8 + sizeof(Record);

  // `pauses`: how long a reader that found nothing waits until it looks again, some ten nanoseconds each. Who
  // looks without a break takes the line with the tail from its writer, for each record anew.
  explicit LaneTransport(unsigned pauses = 1) : pauses_(pauses) {
    up_fd_ = create_memfd("pqd-bench-up", up_layout(sizes_).file_bytes()).value();
    down_fd_ = create_memfd("pqd-bench-down", down_layout(sizes_).file_bytes()).value();
    down_ = DownSegment::map(down_fd_.get(), sizes_, Access::kReadWrite, OnFork::kInherit).value();
    if (!seal_for_client_writing(up_fd_.get()) || !seal_for_client_reading(down_fd_.get())) std::abort();
  }
  void open_sender() {
    up_ = UpSegment::map(up_fd_.get(), sizes_, Access::kReadWrite, OnFork::kDrop).value();
    heads_ = DownSegment::map(down_fd_.get(), sizes_, Access::kReadOnly, OnFork::kDrop).value();
    writer_ = RingWriter(up_.ring_data(kLane), up_.ring_bytes(kLane), up_.header().tail[lane_index(kLane)],
                         std::as_const(heads_).lane(kLane).head);
  }
  void open_receiver() {
    up_ = UpSegment::map(up_fd_.get(), sizes_, Access::kReadOnly, OnFork::kDrop).value();
    reader_ = RingReader(std::as_const(up_).ring_data(kLane), up_.ring_bytes(kLane),
                         std::as_const(up_).header().tail[lane_index(kLane)]);
  }
  // One publish for all of them. REQUIRES: they are at most half the lane.
  void send(std::span<const Record> records) {
    for (const Record& record : records) {
      std::span<std::byte> room = writer_.reserve(kFrameBytes);
      while (room.empty()) {
        writer_.publish();
        pause();
        room = writer_.reserve(kFrameBytes);
      }
      const uint32_t bytes = kFrameBytes;
      std::memcpy(room.data(), &bytes, sizeof bytes);
      std::memcpy(room.data() + 8, &record, sizeof record);
      writer_.commit(kFrameBytes);
    }
    writer_.publish();
  }
  size_t receive(std::span<Record> into) {
    while (!reader_.has_next() && !reader_.refresh())
      for (unsigned i = 0; i < pauses_; ++i) pause();
    size_t taken = 0;
    for (; taken < into.size(); ++taken) {
      const TakeResult got = reader_.next(target_);
      if (got.outcome != Taken::kRecord) break;
      std::memcpy(&into[taken], target_.data() + 8, sizeof(Record));
    }
    const RingPosition& at = reader_.position();
    publish_watermarks(down_.lane(kLane), {at.cursor, at.sequence, at.sequence, at.sequence, at.sequence});
    return taken;
  }
  void finish() {}

 private:
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  unsigned pauses_;
  SegmentSizes sizes_;
  UniqueFd up_fd_;
  UniqueFd down_fd_;
  UpSegment up_;
  DownSegment down_;
  DownSegment heads_;
  RingWriter writer_;
  RingReader reader_;
  alignas(8) std::array<std::byte, 128> target_{};
};

}  // namespace pqd::bench
