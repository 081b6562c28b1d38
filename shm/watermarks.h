// What the engine says about a lane after each commit, and how the client reads it: all monotone.
#pragma once

#include "shm/abi.h"
#include "shm/crash_point.h"

namespace pqd {

struct Watermarks {
  uint64_t head = 0;     // bytes freed
  uint64_t applied = 0;  // sequences
  uint64_t written = 0;
  uint64_t synced = 0;
  uint64_t head_seq = 0;  // records in the bytes freed; the engine's affair, load_watermarks() leaves it out

  friend bool operator==(const Watermarks&, const Watermarks&) = default;
};

// Engine. REQUIRES: nothing goes back, and the receipts of every record that is passed are published.
inline void publish_watermarks(LaneDown& lane, const Watermarks& marks) {
  // release, the three sequences: pairs with the acquire loads of load_watermarks(); who sees a sequence sees
  // the receipts and deliveries published before it. Strongest claim last, so that no reader ever sees a
  // record synced and not yet applied.
  lane.applied.store(marks.applied, std::memory_order_release);
  PQD_CRASH_POINT("watermark-applied");
  lane.written.store(marks.written, std::memory_order_release);
  PQD_CRASH_POINT("watermark-written");
  lane.synced.store(marks.synced, std::memory_order_release);
  PQD_CRASH_POINT("watermark-synced");
  // relaxed: our own words. The point that belongs to the head in force stays whole whenever we die.
  const uint64_t head = lane.head.load(std::memory_order_relaxed);
  if (marks.head != head) {
    ReadPoint& spare =
        lane.read[0].bytes.load(std::memory_order_relaxed) == head ? lane.read[1] : lane.read[0];
    spare.sequence.store(marks.head_seq, std::memory_order_relaxed);
    PQD_CRASH_POINT("read-point-half");
    spare.bytes.store(marks.head, std::memory_order_relaxed);
    PQD_CRASH_POINT("read-point-whole");
  }
  // release: pairs with the client's acquire load in RingWriter::find_room(); our copies are made. And with
  // the next engine's in load_head_seq(); the read point of this head is there.
  lane.head.store(marks.head, std::memory_order_release);
}

// Client; the next engine too, to see what was promised.
inline Watermarks load_watermarks(const LaneDown& lane) {
  Watermarks marks;
  // acquire: pairs with the release stores above. Opposite order, for the same reason.
  marks.head = lane.head.load(std::memory_order_acquire);
  marks.synced = lane.synced.load(std::memory_order_acquire);
  marks.written = lane.written.load(std::memory_order_acquire);
  marks.applied = lane.applied.load(std::memory_order_acquire);
  return marks;
}

// The next engine, while nobody writes: the records in the bytes that are freed.
inline uint64_t load_head_seq(const LaneDown& lane) {
  // acquire: pairs with the release store of the head; its read point is there.
  const uint64_t head = lane.head.load(std::memory_order_acquire);
  for (const ReadPoint& point : lane.read) {
    // relaxed: ordered by the load of the head.
    if (point.bytes.load(std::memory_order_relaxed) == head)
      return point.sequence.load(std::memory_order_relaxed);
  }
  return 0;
}

}  // namespace pqd
