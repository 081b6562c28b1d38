// The memory that the records of live jobs stand in: one block a commit, filled by the worker while the
// commit is open and constant from then on. A block goes when no job needs it. The pool belongs to one
// thread; the bytes of a sealed block may be read by any thread that holds its pointer.
#pragma once

#include <cstdlib>
#include <memory>
#include <utility>

#include "core/event.h"
#include "core/limits.h"

namespace pqd {

using BlockNo = uint32_t;
inline constexpr BlockNo kNoBlock = 0xFFFFFFFF;

// A record or result within a block.
struct RecordRef {
  BlockNo block = kNoBlock;
  BlobRef blob;
  bool empty() const { return block == kNoBlock; }
};

class BlockPool {
 public:
  // A new block, with one user: whoever opened it, until seal(). It has the room of a full commit from its
  // beginning, so that it does not move while it grows; what is never written of that is no page of memory.
  BlockNo open() {
    if (spare_) return add(std::exchange(spare_, nullptr));
    auto bytes = std::make_shared<Bytes>();
    bytes->reserve(kOpenBytes);
    return add(std::move(bytes));
  }
  // A block read back from the store, with one user: the caller, until drop_user().
  BlockNo adopt(Bytes bytes) {
    const BlockNo block = add(std::make_shared<Bytes>(std::move(bytes)));
    count_bytes(block);
    return block;
  }

  Bytes& open_bytes(BlockNo block) { return *blocks_[block].bytes; }
  std::shared_ptr<const Bytes> shared(BlockNo block) const { return blocks_[block].bytes; }
  ByteView view(const RecordRef& ref) const {
    const Bytes& bytes = *blocks_[ref.block].bytes;
    if (size_t{ref.blob.offset} + ref.blob.bytes > bytes.size()) std::abort();
    return ByteView(bytes).subspan(ref.blob.offset, ref.blob.bytes);
  }

  void add_user(BlockNo block) { ++blocks_[block].users; }
  void drop_user(BlockNo block) {
    if (--blocks_[block].users != 0) return;
    bytes_in_use_ -= blocks_[block].counted_bytes;
    blocks_[block] = {};
    free_.push_back(block);
  }
  // Gives the open block about as much memory as it has bytes, because it may live as long as its last job: a
  // full one stays where it is, another is copied, and what it stood in is for the next one that is opened.
  // REQUIRES: nobody has its pointer or a view of it.
  void fit(BlockNo block) {
    std::shared_ptr<Bytes>& bytes = blocks_[block].bytes;
    if (bytes->capacity() - bytes->size() <= bytes->size() / kSlackShare) return;
    auto fitting = std::make_shared<Bytes>(bytes->begin(), bytes->end());
    std::swap(bytes, fitting);
    if (fitting->capacity() > kSpareBytesMax) return;
    fitting->clear();
    spare_ = std::move(fitting);
  }
  // The commit is closed: no byte of the block changes any more, and the opener's use of it ends.
  void seal(BlockNo block) {
    count_bytes(block);
    drop_user(block);
  }

  // How many use the block; 0 = it is free.
  uint32_t users(BlockNo block) const { return block < blocks_.size() ? blocks_[block].users : 0; }
  size_t blocks_in_use() const { return blocks_.size() - free_.size(); }
  size_t bytes_in_use() const { return bytes_in_use_; }

 private:
  struct Block {
    std::shared_ptr<Bytes> bytes;
    size_t counted_bytes = 0;
    uint32_t users = 0;
  };

  BlockNo add(std::shared_ptr<Bytes> bytes) {
    BlockNo block = static_cast<BlockNo>(blocks_.size());
    if (free_.empty()) {
      blocks_.emplace_back();
    } else {
      block = free_.back();
      free_.pop_back();
    }
    blocks_[block] = {std::move(bytes), 0, 1};
    return block;
  }

  void count_bytes(BlockNo block) {
    blocks_[block].counted_bytes = blocks_[block].bytes->size();
    bytes_in_use_ += blocks_[block].counted_bytes;
  }

  // As a rule the last record of a full commit has room in it.
  static constexpr size_t kOpenBytes = limits::kCommitBlockBytes + limits::kRecordOverheadMax;
  // A sixteenth of a block may stay unused.
  static constexpr size_t kSlackShare = 16;
  // Twice what a commit has as a rule: one with a very large record leaves none that large behind.
  static constexpr size_t kSpareBytesMax = 2 * limits::kCommitBlockBytes;
  static_assert(kOpenBytes - limits::kCommitBlockBytes <= limits::kCommitBlockBytes / kSlackShare);
  static_assert(kOpenBytes <= kSpareBytesMax);

  std::shared_ptr<Bytes> spare_;  // nullptr = none
  std::vector<Block> blocks_;
  std::vector<BlockNo> free_;
  size_t bytes_in_use_ = 0;
};

}  // namespace pqd
