// Things of one size, named by small numbers that stay while the thing is there. In chunks of up to 64 KiB:
// few allocations, growing moves nothing, and no page of a chunk is touched before its things come. Belongs
// to one thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pqd {

template <class Thing>
class Slab {
 public:
  Thing& operator[](uint32_t at) { return chunks_[at / kChunkThings][at % kChunkThings]; }
  const Thing& operator[](uint32_t at) const { return chunks_[at / kChunkThings][at % kChunkThings]; }

  // A thing as it is when it is new.
  uint32_t take() {
    if (!free_.empty()) {
      const uint32_t at = free_.back();
      free_.pop_back();
      return at;
    }
    if (taken_ % kChunkThings == 0) chunks_.emplace_back().reserve(kChunkThings);
    chunks_.back().emplace_back();
    return taken_++;
  }
  void give_back(uint32_t at) {
    (*this)[at] = Thing{};
    free_.push_back(at);
  }

  // Every number below was in use at some time; what was given back is as new.
  uint32_t end() const { return taken_; }
  size_t in_use() const { return taken_ - free_.size(); }

 private:
  static constexpr uint32_t kChunkThings = std::bit_floor(static_cast<uint32_t>(65'536 / sizeof(Thing)));
  static_assert(kChunkThings > 0);

  std::vector<std::vector<Thing>> chunks_;  // each has the room of a whole one from its beginning
  uint32_t taken_ = 0;
  std::vector<uint32_t> free_;
};

}  // namespace pqd
