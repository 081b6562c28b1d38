// The shared bytes of a session: what lies where in its two memory files, and who may store it. Both sides
// map these structs, so that every offset, size and constant here is the ABI; tests/shm/abi_test.cpp pins
// them.
//
// Up is written by the client alone and mapped read-only by the daemon, which believes none of it. Down and
// the wake page are written by the daemon alone and are sealed: no client can map them writable or write() to
// them. Every atomic states its writer, its partner and the reason for its ordering where it is used:
// shm/ring.h, shm/watermarks.h, shm/doorbell.h; the page with all of it is shm/README.md.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/receipt_flags.h"  // Receipt::flags

namespace pqd {

static_assert(std::atomic<uint64_t>::is_always_lock_free && sizeof(std::atomic<uint64_t>) == 8);
static_assert(std::atomic<uint32_t>::is_always_lock_free && sizeof(std::atomic<uint32_t>) == 4);

inline constexpr uint64_t kMagic = 0x31'4D'48'53'44'51'50'00;  // "\0PQDSHM1" read as bytes
inline constexpr uint32_t kAbiVersion = 1;
inline constexpr size_t kPageBytes = 4096;
inline constexpr size_t kLineBytes = 64;

// Feature bits: a hello names what the client knows, the welcome what both know. Unknown bits are ignored.
inline constexpr uint32_t kFeatureResume = 1;  // an earlier session can be taken over with its secret
inline constexpr uint32_t kFeatureRenewal = 2;  // a session may be given another Down and wake page
// The welcome says how many there are, and both place queues by core/partition.h. 4 was the same with another
// partition_of(): who knows that one only is told of no partitions, so that it cannot look in the wrong one.
inline constexpr uint32_t kFeaturePartitions = 8;
inline constexpr uint32_t kFeatures = kFeatureResume | kFeatureRenewal | kFeaturePartitions;

// The first four carry submits; the fifth settlements, queries and commands.
enum class Lane : uint8_t { kLow = 0, kNormal = 1, kHigh = 2, kCritical = 3, kControl = 4 };
inline constexpr size_t kLaneCount = 5;
inline constexpr size_t kSubmitLaneCount = 4;

// REQUIRES: 1 <= priority <= 20.
constexpr Lane lane_of_priority(uint8_t priority) {
  if (priority < 5) return Lane::kLow;
  if (priority < 10) return Lane::kNormal;
  return priority < 20 ? Lane::kHigh : Lane::kCritical;
}
constexpr size_t lane_index(Lane lane) { return static_cast<size_t>(lane); }

// Chosen at the handshake, fixed for the session's life. Bytes are powers of two.
struct SegmentSizes {
  std::array<uint32_t, kLaneCount> lane_bytes{1u << 20, 1u << 20, 1u << 20, 1u << 20, 1u << 20};
  uint32_t receipt_slots = 1024;
  uint32_t deliveries_bytes = 1u << 20;
  uint32_t answers_bytes = 1u << 20;

  friend constexpr bool operator==(const SegmentSizes&, const SegmentSizes&) = default;
};
inline constexpr uint32_t kRingBytesMin = 64u << 10;
inline constexpr uint32_t kRingBytesMax = 256u << 20;
inline constexpr uint32_t kReceiptSlotsMin = 64;  // one page of them
inline constexpr uint32_t kReceiptSlotsMax = 1u << 16;

// The first page of Up. Writer of every field: the client.
struct UpHeader {
  // Bytes published so far, lane by lane. All on one line on purpose: the engine looks at one line a session
  // to see whether anything came.
  alignas(kLineBytes) std::array<std::atomic<uint64_t>, kLaneCount> tail;
  alignas(kLineBytes) std::atomic<uint64_t> receipts_read;    // count
  alignas(kLineBytes) std::atomic<uint64_t> deliveries_read;  // bytes
  alignas(kLineBytes) std::atomic<uint64_t> answers_read;     // bytes
  // Odd while the client sleeps or is about to; it goes up by one at each arming and each disarming.
  alignas(kLineBytes) std::atomic<uint32_t> waiting;
  alignas(kLineBytes) std::array<std::byte, kPageBytes - 5 * kLineBytes> reserved;
};

// Bytes and records up to which a lane has been read, as one.
struct ReadPoint {
  std::atomic<uint64_t> bytes;
  std::atomic<uint64_t> sequence;
};

// What the engine says about one up lane. The sequences count the lane's records. The read points are for the
// next engine: the one whose bytes are those of `head` counts, the other is being written or out of date.
struct alignas(kLineBytes) LaneDown {
  std::atomic<uint64_t> head;     // bytes that the client may write over
  std::atomic<uint64_t> applied;  // the broker has decided: enough for durability `memory`
  std::atomic<uint64_t> written;  // in the store, survives any process: enough for `os`
  std::atomic<uint64_t> synced;   // on the disk: enough for `fsync`
  std::array<ReadPoint, 2> read;
};

enum class EngineState : uint32_t { kStarting = 0, kServing = 1, kStopping = 2 };

// The first page of Down. Writers: the supervisor (the first line before the client has it, engine_state
// when an engine died), the engine for the rest.
struct DownHeader {
  // Written once, before the segment is handed out.
  alignas(kLineBytes) uint64_t magic;
  uint32_t abi;
  uint32_t features;
  uint64_t session;
  SegmentSizes sizes;
  uint32_t max_payload_bytes;
  uint32_t tag;  // of the job ids that this session makes
  // Changes seldom.
  alignas(kLineBytes) std::atomic<uint64_t> engine_epoch;  // changes when another engine has taken over
  std::atomic<uint32_t> engine_state;                      // EngineState
  std::atomic<uint32_t> outbox_blocked;                    // 1: something for this client found no room
  // Changes at each publication of anything below: a word to spin on.
  alignas(kLineBytes) std::atomic<uint32_t> bell;
  std::array<LaneDown, kLaneCount> lanes;
  alignas(kLineBytes) std::atomic<uint64_t> receipts_written;  // count
  alignas(kLineBytes) std::atomic<uint64_t> deliveries_tail;   // bytes
  std::atomic<uint64_t> deliveries_count;                      // the last one's number; stored after the tail
  alignas(kLineBytes) std::atomic<uint64_t> answers_tail;      // bytes
  alignas(kLineBytes) std::array<std::byte, kPageBytes - 11 * kLineBytes> reserved;
};

// One exception to "the watermark passed it, so it is done". Published before the watermark that passes it.
struct Receipt {
  uint64_t number = 0;    // 1, 2, 3 ... within the session
  uint64_t sequence = 0;  // of the record that it is about, within its lane, from 1
  uint64_t job_high = 0;  // the job's id
  uint64_t job_low = 0;
  uint32_t retry_after_ms = 0;
  uint32_t detail = 0;
  uint8_t lane = 0;
  uint8_t code = 0;  // the error, 0 = none
  uint8_t flags = 0;
  std::array<uint8_t, 21> reserved{};
};

// One a worker. Writer: the worker.
struct WakePage {
  // Odd while the worker sleeps or is about to; it goes up by one at each arming and each disarming.
  alignas(kLineBytes) std::atomic<uint32_t> sleeping;
  alignas(kLineBytes) std::array<std::byte, kPageBytes - kLineBytes> reserved;
};

static_assert(sizeof(SegmentSizes) == 32 && std::is_trivially_copyable_v<SegmentSizes>);
static_assert(sizeof(UpHeader) == kPageBytes && std::is_standard_layout_v<UpHeader>);
static_assert(offsetof(UpHeader, tail) == 0 && offsetof(UpHeader, receipts_read) == 64);
static_assert(offsetof(UpHeader, deliveries_read) == 128 && offsetof(UpHeader, answers_read) == 192);
static_assert(offsetof(UpHeader, waiting) == 256);
static_assert(sizeof(LaneDown) == 64 && std::is_standard_layout_v<LaneDown>);
static_assert(sizeof(DownHeader) == kPageBytes && std::is_standard_layout_v<DownHeader>);
static_assert(offsetof(DownHeader, sizes) == 24 && offsetof(DownHeader, tag) == 60);
static_assert(offsetof(DownHeader, engine_epoch) == 64 && offsetof(DownHeader, bell) == 128);
static_assert(offsetof(DownHeader, lanes) == 192 && offsetof(DownHeader, receipts_written) == 512);
static_assert(offsetof(DownHeader, deliveries_tail) == 576 && offsetof(DownHeader, answers_tail) == 640);
static_assert(sizeof(Receipt) == 64 && std::is_trivially_copyable_v<Receipt>);
static_assert(sizeof(WakePage) == kPageBytes && std::is_standard_layout_v<WakePage>);

}  // namespace pqd
