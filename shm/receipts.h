// The ring of receipts, slots of fixed size. The engine writes, the client reads; receipts are published
// before the watermark that passes the record they are about. One thread an end.
#pragma once

#include <atomic>
#include <cstdlib>
#include <optional>

#include "shm/abi.h"

namespace pqd {

class ReceiptWriter {
 public:
  ReceiptWriter() = default;
  // Goes on behind the last receipt published, also after a change of engine.
  ReceiptWriter(Receipt* slots, uint32_t slot_count, std::atomic<uint64_t>& written,
                const std::atomic<uint64_t>& read)
      : slots_(slots), written_(&written), read_(&read), slot_count_(slot_count) {
    // relaxed: our own word.
    appended_ = published_ = written.load(std::memory_order_relaxed);
    read_cache_ = published_ - slot_count;  // "full": the first append looks at the real one
  }

  // The number that the next receipt must carry.
  uint64_t next_number() const { return appended_ + 1; }

  // False when the client has not read enough for it to fit. REQUIRES: receipt.number == next_number().
  bool append(const Receipt& receipt) {
    if (receipt.number != next_number()) std::abort();
    if (appended_ - read_cache_ >= slot_count_ && !find_room()) return false;
    slots_[appended_ & (slot_count_ - 1)] = receipt;
    ++appended_;
    return true;
  }

  // Makes all appended receipts visible. False when there was none.
  bool publish() {
    if (appended_ == published_) return false;
    published_ = appended_;
    // release: pairs with the reader's acquire load; the slots are filled before they count.
    written_->store(published_, std::memory_order_release);
    return true;
  }

  uint64_t published() const { return published_; }
  // The client's count cannot be: more than was written, or more behind than there are slots.
  bool peer_broken() const { return peer_broken_; }

 private:
  bool find_room() {
    if (peer_broken_) return false;
    // acquire: pairs with the reader's release store; it has copied the slot that we are about to reuse.
    const uint64_t read = read_->load(std::memory_order_acquire);
    if (appended_ - read > slot_count_) {
      peer_broken_ = true;
      read_cache_ = appended_ - slot_count_;
      return false;
    }
    read_cache_ = read;
    return appended_ - read < slot_count_;
  }

  Receipt* slots_ = nullptr;
  std::atomic<uint64_t>* written_ = nullptr;
  const std::atomic<uint64_t>* read_ = nullptr;
  uint64_t slot_count_ = 0;
  uint64_t appended_ = 0;
  uint64_t published_ = 0;
  uint64_t read_cache_ = 0;
  bool peer_broken_ = false;
};

class ReceiptReader {
 public:
  ReceiptReader() = default;
  ReceiptReader(const Receipt* slots, uint32_t slot_count, const std::atomic<uint64_t>& written,
                std::atomic<uint64_t>& read)
      : slots_(slots), written_(&written), read_(&read), slot_count_(slot_count) {
    // relaxed: our own word.
    taken_ = released_ = written_cache_ = read.load(std::memory_order_relaxed);
  }

  // A copy of the next receipt, if there is one.
  std::optional<Receipt> next() {
    if (taken_ == written_cache_) {
      // acquire: pairs with the writer's release store in publish().
      written_cache_ = written_->load(std::memory_order_acquire);
      if (taken_ == written_cache_) return std::nullopt;
    }
    return slots_[taken_++ & (slot_count_ - 1)];
  }

  // Gives the slots of all receipts taken back to the engine.
  void release() {
    if (taken_ == released_) return;
    released_ = taken_;
    // release: pairs with the writer's acquire load in find_room(); we have copied before it reuses.
    read_->store(released_, std::memory_order_release);
  }

 private:
  const Receipt* slots_ = nullptr;
  const std::atomic<uint64_t>* written_ = nullptr;
  std::atomic<uint64_t>* read_ = nullptr;
  uint64_t slot_count_ = 0;
  uint64_t written_cache_ = 0;
  uint64_t taken_ = 0;
  uint64_t released_ = 0;
};

}  // namespace pqd
