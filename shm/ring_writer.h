// The writing end of a ring: reserve, fill, commit, as often as wanted, then one publish for all of it. One
// thread. The peer may be hostile (the engine writes Down, the client says how far it has read): a head that
// cannot be is remembered in peer_broken() and means that there is no room any more.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>

#include "shm/abi.h"
#include "shm/prefetch.h"
#include "shm/record_frame.h"

namespace pqd {

class RingWriter {
 public:
  RingWriter() = default;
  // Goes on at the published tail, which only this side stores: a new session, or the engine after the one
  // that died. REQUIRES: `data` is mapped twice, capacity is a power of two.
  RingWriter(std::byte* data, uint32_t capacity, std::atomic<uint64_t>& tail,
             const std::atomic<uint64_t>& head)
      : data_(data), tail_(&tail), head_(&head), capacity_(capacity) {
    // relaxed: our own word; a predecessor's stores came to us through its death.
    pending_ = published_ = tail.load(std::memory_order_relaxed);
    head_cache_ = published_ - capacity;  // "full": the first reserve looks at the real one
  }

  // Contiguous room for one record of this size, or an empty span when there is none now. The bytes may be
  // filled in any order and given up by not committing. A size outside kRecordBytesMin..max_record_bytes()
  // never gets room.
  std::span<std::byte> reserve(uint32_t bytes) {
    if (bytes < kRecordBytesMin || bytes > max_record_bytes()) return {};
    const uint64_t need = padded_record_bytes(bytes);
    if (capacity_ - (pending_ - head_cache_) < need && !find_room(need)) return {};
    return {data_ + (pending_ & (capacity_ - 1)), bytes};
  }

  // The record in the last reservation is finished and its size field is set. REQUIRES: bytes is at most what
  // was reserved. Not yet visible to the reader.
  void commit(uint32_t bytes) {
    pending_ += padded_record_bytes(bytes);
    fetch_ahead();
  }

  // Makes all committed records visible at once. False when there was none.
  bool publish() {
    if (pending_ == published_) return false;
    published_ = pending_;
    // release: pairs with the reader's acquire load of the tail; the records' bytes come before it.
    tail_->store(published_, std::memory_order_release);
    return true;
  }

  // Forgets what was committed since the last publish.
  void rollback() { pending_ = published_; }

  uint32_t capacity() const { return static_cast<uint32_t>(capacity_); }
  uint32_t max_record_bytes() const { return record_bytes_max(capacity()); }
  uint64_t published() const { return published_; }
  uint64_t pending() const { return pending_; }
  bool peer_broken() const { return peer_broken_; }

 private:
  // How far ahead of the writing its lines are asked for. Each was read by the other side a lap ago, and
  // takes some 200 ns to come back from there: stores alone have too few of them on their way at once.
  static constexpr uint64_t kFetchAheadBytes = 1024;

  // Only lines that are room: the reader still needs what lies behind.
  void fetch_ahead() {
    const uint64_t until = std::min(pending_ + kFetchAheadBytes, head_cache_ + capacity_);
    uint64_t at = std::max(fetched_, pending_);
    for (; at < until; at += kLineBytes) prefetch_to_write(data_ + (at & (capacity_ - 1)));
    fetched_ = at;
  }
  bool find_room(uint64_t need) {
    if (peer_broken_) return false;
    // acquire: pairs with the reader's release store of the head; it has done with the bytes that we are
    // about to write over.
    const uint64_t head = head_->load(std::memory_order_acquire);
    if (pending_ - head > capacity_) {
      peer_broken_ = true;
      head_cache_ = pending_ - capacity_;
      return false;
    }
    head_cache_ = head;
    return capacity_ - (pending_ - head) >= need;
  }

  std::byte* data_ = nullptr;
  std::atomic<uint64_t>* tail_ = nullptr;
  const std::atomic<uint64_t>* head_ = nullptr;
  uint64_t capacity_ = 0;
  uint64_t pending_ = 0;
  uint64_t published_ = 0;
  uint64_t head_cache_ = 0;
  uint64_t fetched_ = 0;  // its line and all before it were asked for
  bool peer_broken_ = false;
};

}  // namespace pqd
