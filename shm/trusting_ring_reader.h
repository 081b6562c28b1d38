// The client's end of the deliveries and answers rings. Down is written by the daemon, so that records are
// used in place; what this end owes is to say how far it is done. One thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <span>

#include "shm/record_frame.h"

namespace pqd {

class TrustingRingReader {
 public:
  TrustingRingReader() = default;
  // `read` is this side's cursor in Up; reading goes on where it stands.
  TrustingRingReader(const std::byte* data, uint32_t capacity, const std::atomic<uint64_t>& tail,
                     std::atomic<uint64_t>& read)
      : data_(data), tail_(&tail), read_(&read), capacity_(capacity) {
    // relaxed: our own word.
    cursor_ = released_ = tail_cache_ = read.load(std::memory_order_relaxed);
  }

  // The next record in place, without its padding; empty when there is none. It stays valid until released.
  std::span<const std::byte> next() {
    if (cursor_ == tail_cache_) {
      // acquire: pairs with the engine's release store in publish(); the bytes before the tail are there.
      tail_cache_ = tail_->load(std::memory_order_acquire);
      if (cursor_ == tail_cache_) return {};
    }
    const std::byte* record = data_ + (cursor_ & (capacity_ - 1));
    const uint32_t bytes = *reinterpret_cast<const uint32_t*>(record);
    // The daemon's word is trusted, but a broken invariant must not become a walk through foreign memory.
    if (bytes < kRecordBytesMin || padded_record_bytes(bytes) > tail_cache_ - cursor_) std::abort();
    cursor_ += padded_record_bytes(bytes);
    return {record, bytes};
  }

  // Is there a record that next() would yield? Looks at the shared tail.
  bool has_next() const { return cursor_ != tail_->load(std::memory_order_relaxed); }

  // Behind the record that next() yielded last; for release_to().
  uint64_t position() const { return cursor_; }

  // Gives the ring's bytes before `position` back: views into them are over. REQUIRES: a position that this
  // reader had, not before the last one released.
  void release_to(uint64_t position) {
    if (position == released_) return;
    released_ = position;
    // release: pairs with the engine's acquire load in find_room(); we have read before it writes again.
    read_->store(position, std::memory_order_release);
  }
  void release() { release_to(cursor_); }

 private:
  const std::byte* data_ = nullptr;
  const std::atomic<uint64_t>* tail_ = nullptr;
  std::atomic<uint64_t>* read_ = nullptr;
  uint64_t capacity_ = 0;
  uint64_t tail_cache_ = 0;
  uint64_t cursor_ = 0;
  uint64_t released_ = 0;
};

}  // namespace pqd
