// What the memory itself gives: bytes copied into memory that two processes share, and out of it on the other
// CPU. No records, no sizes, no checks: whoever hands bytes over by memory pays this at least.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "shm/abi.h"
#include "shm/pause.h"
#include "shm/prefetch.h"
#include "tests/bench/transport.h"

namespace pqd::bench {

class BareCopy final : public Transport {
 public:
  // `pauses`: as for the lane.
  explicit BareCopy(unsigned pauses) : pauses_(pauses) {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) throw_errno("mmap");
    shared_ = new (memory) Shared;
  }
  ~BareCopy() override { ::munmap(shared_, sizeof(Shared)); }
  BareCopy(const BareCopy&) = delete;
  BareCopy& operator=(const BareCopy&) = delete;

  // REQUIRES: as many records each time, but for the last, and a power of two of them.
  void send(std::span<const Record> records) override {
    // acquire: pairs with the release store in receive(); what we write over is copied.
    while (at_ + records.size() - taken_ > kRecords) {
      taken_ = shared_->taken.load(std::memory_order_acquire);
      if (at_ + records.size() - taken_ > kRecords) pause_briefly();
    }
    std::memcpy(&shared_->records[at_ % kRecords], records.data(), records.size_bytes());
    at_ += records.size();
    for (size_t i = 0; i < records.size(); ++i)
      prefetch_to_write(&shared_->records[(at_ + kAhead + i) % kRecords]);
    // release: pairs with the acquire load in receive(); the bytes are there.
    shared_->sent.store(at_, std::memory_order_release);
  }
  size_t receive(std::span<Record> into) override {
    // acquire: pairs with the release store in send().
    while (at_ == sent_ && (sent_ = shared_->sent.load(std::memory_order_acquire)) == at_)
      for (unsigned i = 0; i < pauses_; ++i) pause_briefly();
    const size_t got = std::min({into.size(), size_t{sent_ - at_}, size_t{kRecords - at_ % kRecords}});
    std::memcpy(into.data(), &shared_->records[at_ % kRecords], got * sizeof(Record));
    at_ += got;
    // release: pairs with the acquire load in send(); our copy is made.
    shared_->taken.store(at_, std::memory_order_release);
    return got;
  }

 private:
  static constexpr uint64_t kRecords = (1u << 20) / sizeof(Record);
  static constexpr uint64_t kAhead = 1024 / sizeof(Record);
  struct Shared {
    alignas(kLineBytes) std::atomic<uint64_t> sent{0};   // records, ever
    alignas(kLineBytes) std::atomic<uint64_t> taken{0};  // records, ever
    alignas(kLineBytes) Record records[kRecords];
  };

  unsigned pauses_;
  Shared* shared_;
  uint64_t at_ = 0;     // this end: records sent or taken
  uint64_t sent_ = 0;   // as the receiver last saw it
  uint64_t taken_ = 0;  // as the sender last saw it
};

}  // namespace pqd::bench
