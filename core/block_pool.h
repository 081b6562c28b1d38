// The memory that the records of live jobs stand in: one block a commit, filled by the worker while the
// commit is open and constant from then on. A block goes when nobody needs it; its bytes go before that where
// only records of jobs are left in it that the store has: the block is away then, and State reads them there.
// The pool belongs to one thread; the bytes of a sealed block may be read by any thread that holds its
// pointer.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "core/canary.h"
#include "core/event.h"
#include "core/limits.h"

namespace pqd {

using BlockNo = uint32_t;
inline constexpr BlockNo kNoBlock = 0xFFFFFFFF;
// The commit of a block that no commit has: no store will ever have it.
inline constexpr uint64_t kNoCommit = UINT64_MAX;

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
    if (!spares_.empty()) {
      auto spare = std::move(spares_.back());
      spares_.pop_back();
      return add(std::move(spare));
    }
    auto bytes = std::make_shared<Bytes>();
    bytes->reserve(kOpenBytes);
    return add(std::move(bytes));
  }
  // A block read back from the store, of this commit, or 0 when it is of rows that a checkpoint has; with one
  // user: the caller, until drop_user().
  BlockNo adopt(Bytes bytes, uint64_t commit = 0) {
    const BlockNo block = add(std::make_shared<Bytes>(std::move(bytes)));
    close(block, commit);
    return block;
  }

  Bytes& open_bytes(BlockNo block) { return *blocks_[block].bytes; }
  std::shared_ptr<const Bytes> shared(BlockNo block) const { return blocks_[block].bytes; }
  bool is_away(BlockNo block) const { return blocks_[block].bytes == nullptr; }
  // REQUIRES: the block is not away.
  ByteView view(const RecordRef& ref) const {
    if (is_away(ref.block)) std::abort();
    const Bytes& bytes = *blocks_[ref.block].bytes;
    if (size_t{ref.blob.offset} + ref.blob.bytes > bytes.size()) std::abort();
    return ByteView(bytes).subspan(ref.blob.offset, ref.blob.bytes);
  }

  // Somebody who needs the bytes.
  void add_user(BlockNo block) { ++blocks_[block].users; }
  void drop_user(BlockNo block) {
    --blocks_[block].users;
    free_unused(block);
  }
  // A job whose record stands in it.
  void add_record(BlockNo block) { ++blocks_[block].records; }
  void drop_record(BlockNo block) {
    --blocks_[block].records;
    free_unused(block);
  }
  // Lets go of the bytes of blocks of commits up to `covered`, those closed first before the others, that
  // have no user but jobs, until no more than `bytes_max` are in use.
  void let_go(uint64_t covered, size_t bytes_max) {
    bool any = false;
    for (BlockNo at = oldest_; at != kNoBlock && bytes_in_use_ > bytes_max;) {
      Block& block = blocks_[at];
      const BlockNo next = block.next;
      if (block.commit > covered && block.commit != kNoCommit && !PQD_CANARY("record-let-go-early")) break;
      if (block.users == 0 && block.commit != kNoCommit) {
        unlink(at);
        bytes_in_use_ -= std::exchange(block.counted_bytes, 0);
        keep_spare(std::exchange(block.bytes, nullptr));
        any = true;
      }
      at = next;
    }
    // What no flood wants any more goes back to the allocator, bit by bit.
    if (!any && spares_.size() > 1) spares_.resize(spares_.size() / 2);
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
    keep_spare(std::move(fitting));
  }
  // The commit is closed: no byte of the block changes any more, and the opener's use of it ends.
  void seal(BlockNo block, uint64_t commit) {
    close(block, commit);
    drop_user(block);
  }

  // How many use the block, jobs among them; 0 = it is free.
  uint32_t users(BlockNo block) const {
    return block < blocks_.size() ? blocks_[block].users + blocks_[block].records : 0;
  }
  size_t blocks_in_use() const { return blocks_.size() - free_.size(); }
  size_t bytes_in_use() const { return bytes_in_use_; }

 private:
  struct Block {
    std::shared_ptr<Bytes> bytes;  // nullptr = free, or away
    size_t counted_bytes = 0;
    uint64_t commit = 0;
    uint32_t users = 0;
    uint32_t records = 0;
    BlockNo previous = kNoBlock, next = kNoBlock;  // of those that are closed and not away
  };

  BlockNo add(std::shared_ptr<Bytes> bytes) {
    BlockNo block = static_cast<BlockNo>(blocks_.size());
    if (free_.empty()) {
      blocks_.emplace_back();
    } else {
      block = free_.back();
      free_.pop_back();
    }
    blocks_[block] = {};
    blocks_[block].bytes = std::move(bytes);
    blocks_[block].users = 1;
    return block;
  }
  void free_unused(BlockNo block) {
    Block& unused = blocks_[block];
    if (unused.users + unused.records != 0) return;
    if (unused.counted_bytes != 0) bytes_in_use_ -= unused.counted_bytes;
    unlink(block);
    unused = {};
    free_.push_back(block);
  }
  // Its bytes count, and may be let go of from now on.
  void close(BlockNo number, uint64_t commit) {
    Block& block = blocks_[number];
    block.commit = commit;
    block.counted_bytes = block.bytes->size();
    bytes_in_use_ += block.counted_bytes;
    block.previous = latest_;
    (latest_ == kNoBlock ? oldest_ : blocks_[latest_].next) = number;
    latest_ = number;
  }
  void unlink(BlockNo number) {
    Block& block = blocks_[number];
    if (block.previous == kNoBlock && oldest_ != number) return;  // was not among them
    (block.previous == kNoBlock ? oldest_ : blocks_[block.previous].next) = block.next;
    (block.next == kNoBlock ? latest_ : blocks_[block.next].previous) = block.previous;
    block.previous = block.next = kNoBlock;
  }
  void keep_spare(std::shared_ptr<Bytes> bytes) {
    // Others may read it still; and a page that was had before costs nothing, but for a very small block.
    if (bytes.use_count() != 1 || bytes->capacity() < kOpenBytes || bytes->capacity() > kSpareBytesMax)
      return;
    if (spares_.size() == kSparesMax) return;
    bytes->clear();
    spares_.push_back(std::move(bytes));
  }

  // As a rule the last record of a full commit has room in it.
  static constexpr size_t kOpenBytes = limits::kCommitBlockBytes + limits::kRecordOverheadMax;
  // A sixteenth of a block may stay unused.
  static constexpr size_t kSlackShare = 16;
  // Twice what a commit has as a rule: one with a very large record leaves none that large behind.
  static constexpr size_t kSpareBytesMax = 2 * limits::kCommitBlockBytes;
  static_assert(kOpenBytes - limits::kCommitBlockBytes <= limits::kCommitBlockBytes / kSlackShare);
  static_assert(kOpenBytes <= kSpareBytesMax);

  // As many bytes as a flood lets go of at a time, about.
  static constexpr size_t kSparesMax = (32u << 20) / kOpenBytes;

  std::vector<std::shared_ptr<Bytes>> spares_;  // empty ones, with room
  std::vector<Block> blocks_;
  std::vector<BlockNo> free_;
  BlockNo oldest_ = kNoBlock, latest_ = kNoBlock;
  size_t bytes_in_use_ = 0;
};

}  // namespace pqd
