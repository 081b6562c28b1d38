// Where the records of jobs of durability `memory` stand: blocks that no commit has, and that therefore reach
// no disk. Filled one after the other; each goes when no job needs it. Belongs to one thread.
#pragma once

#include "core/block_pool.h"

namespace pqd {

class MemoryArena {
 public:
  explicit MemoryArena(BlockPool& blocks) : blocks_(blocks) {}

  // A copy of the bytes; whoever keeps the reference is a user of its block.
  RecordRef add(ByteView bytes) {
    if (block_ == kNoBlock || filled() + bytes.size() > kBlockBytes) open(bytes.size());
    Bytes& block = blocks_.open_bytes(block_);
    const BlobRef blob{static_cast<uint32_t>(block.size()), static_cast<uint32_t>(bytes.size())};
    block.insert(block.end(), bytes.begin(), bytes.end());  // within what is reserved: views stay valid
    block.resize((block.size() + 7) / 8 * 8);
    return {block_, blob};
  }
  // The block that is being filled; kNoBlock = none. The arena is one of its users.
  BlockNo open_block() const { return block_; }

 private:
  static constexpr size_t kBlockBytes = 256 * 1024;

  size_t filled() const { return blocks_.shared(block_)->size(); }
  void open(size_t bytes) {
    if (block_ != kNoBlock) blocks_.seal_unstored(block_);
    block_ = blocks_.open_unstored(std::max(kBlockBytes, bytes) + 8);
  }

  BlockPool& blocks_;
  BlockNo block_ = kNoBlock;
};

}  // namespace pqd
