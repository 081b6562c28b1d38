// The daemon's end of a client's lane. It believes nothing: every shared word is loaded once, cursors, sizes
// and masks live in private memory, and a record is copied out before anybody looks at it. A violation is an
// outcome, it stays, and nothing is read from this ring any more. One thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

#include "core/canary.h"
#include "shm/record_frame.h"

namespace pqd {

enum class RingViolation : uint8_t {
  kNone,
  kTailMisaligned,
  kTailBackwards,
  kTailBeyondCapacity,
  kRecordTooSmall,
  kRecordTooLarge,
  kRecordBeyondTail,
};
// A sentence for the log.
std::string_view violation_text(RingViolation violation);

// Where a reader stands: bytes and records taken since the session's birth.
struct RingPosition {
  uint64_t cursor = 0;
  uint64_t sequence = 0;

  friend bool operator==(const RingPosition&, const RingPosition&) = default;
};

enum class Taken : uint8_t {
  kRecord,          // copied, `bytes` long; the position has moved behind it
  kEmpty,           // nothing left of what the last refresh() saw
  kTargetTooSmall,  // `bytes` are needed; nothing has moved
  kViolation,       // see violation()
};
struct TakeResult {
  Taken outcome = Taken::kEmpty;
  uint32_t bytes = 0;
};

class RingReader {
 public:
  RingReader() = default;
  // Begins at `from`: zeros for a new session, the stored position in recovery.
  RingReader(const std::byte* data, uint32_t capacity, const std::atomic<uint64_t>& tail,
             RingPosition from = {})
      : data_(data), tail_(&tail), capacity_(capacity), tail_cache_(from.cursor), position_(from) {}

  // Loads the tail, once: next() yields what was published up to here. True when there is something to take.
  bool refresh() {
    if (violation_ != RingViolation::kNone) return false;
    // acquire: pairs with the writer's release store in publish(); the bytes before the tail are there.
    const uint64_t tail = tail_->load(std::memory_order_acquire);
    if (tail != tail_cache_ && !accept_tail(tail)) return false;
    return tail_cache_ != position_.cursor;
  }

  // Is anything left of what the last refresh() saw? Looks at no shared word: each look at the tail takes its
  // line from the writer, who waits for it at the next publish.
  bool has_next() const { return violation_ == RingViolation::kNone && tail_cache_ != position_.cursor; }

  // Copies the next record to the front of `target`, whose size field then holds the checked size. REQUIRES:
  // `target` is private memory. With a target of max_record_bytes() it is never too small.
  TakeResult next(std::span<std::byte> target) {
    if (violation_ != RingViolation::kNone) return {Taken::kViolation, 0};
    const uint64_t available = tail_cache_ - position_.cursor;
    if (available == 0) return {Taken::kEmpty, 0};
    const std::byte* record = data_ + (position_.cursor & (capacity_ - 1));
    const uint32_t bytes = load_size(record);
    if (bytes < kRecordBytesMin) return fail(RingViolation::kRecordTooSmall);
    if (bytes > max_record_bytes()) return fail(RingViolation::kRecordTooLarge);
    if (padded_record_bytes(bytes) > available) return fail(RingViolation::kRecordBeyondTail);
    if (bytes > target.size()) return {Taken::kTargetTooSmall, bytes};
    std::memcpy(target.data(), record, bytes);
    // The client may change the bytes at any time. From here on the compiler must use the copy as it is and
    // not read the original again, and the size that was checked is the one that counts.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const uint32_t taken = PQD_CANARY("size-loaded-twice") ? load_size(record) : bytes;
    std::memcpy(target.data(), &taken, sizeof taken);
    position_.cursor += padded_record_bytes(taken);
    ++position_.sequence;
    return {Taken::kRecord, taken};
  }

  // Behind the last record taken. The bytes before `cursor` may be freed once these records are durable.
  const RingPosition& position() const { return position_; }
  uint32_t capacity() const { return static_cast<uint32_t>(capacity_); }
  uint32_t max_record_bytes() const { return record_bytes_max(capacity()); }
  RingViolation violation() const { return violation_; }

 private:
  // relaxed, and atomic only so that it is loaded exactly once: the refresh() before has ordered it.
  static uint32_t load_size(const std::byte* record) {
    return __atomic_load_n(reinterpret_cast<const uint32_t*>(record), __ATOMIC_RELAXED);
  }
  bool accept_tail(uint64_t tail) {
    // Differences, so that the order of two cursors is right whatever a hostile client stores.
    if (tail % kRecordAlign != 0)
      violation_ = RingViolation::kTailMisaligned;
    else if (static_cast<int64_t>(tail - tail_cache_) < 0)
      violation_ = RingViolation::kTailBackwards;
    else if (tail - position_.cursor > capacity_)
      violation_ = RingViolation::kTailBeyondCapacity;
    if (violation_ != RingViolation::kNone) return false;
    tail_cache_ = tail;
    return true;
  }
  TakeResult fail(RingViolation violation) {
    violation_ = violation;
    return {Taken::kViolation, 0};
  }

  const std::byte* data_ = nullptr;
  const std::atomic<uint64_t>* tail_ = nullptr;
  uint64_t capacity_ = 0;
  uint64_t tail_cache_ = 0;
  RingPosition position_;
  RingViolation violation_ = RingViolation::kNone;
};

}  // namespace pqd
