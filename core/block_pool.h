// The memory that the records of live jobs stand in: one block a commit, filled by the worker while the
// commit is open and constant from then on. A block goes when nobody needs it; its bytes go before that where
// only records of jobs are left in it that the store has: the block is away then, and State reads them there.
// Of blocks that the store has the latest go first, because the jobs that came first are as a rule wanted
// first; of those read back the one that was read first.
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

// A record or result within a block.
struct RecordRef {
  BlockNo block = kNoBlock;
  BlobRef blob;
  bool empty() const { return block == kNoBlock; }
};

class BlockPool {
 public:
  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

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
  // One of so many bytes, for records that no store will have.
  BlockNo open_unstored(size_t bytes) {
    auto fresh = std::make_shared<Bytes>();
    fresh->reserve(bytes);
    return add(std::move(fresh));
  }
  // A block read from the store; with one user: the caller, until drop_user(). Of this commit, which no
  // checkpoint may cover yet; or of rows that a checkpoint has, at the start or later, when they are wanted.
  BlockNo adopt(Bytes bytes, uint64_t commit) { return adopt(std::move(bytes), waiting_, commit); }
  BlockNo adopt_rows(Bytes bytes) { return adopt(std::move(bytes), stored_); }
  BlockNo adopt_wanted(Bytes bytes) { return adopt(std::move(bytes), read_back_); }

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
  // Commits up to `covered` are in the store. Lets go of bytes that are there, as long as more than
  // `bytes_max` are in use and there are any that nobody but jobs needs.
  void let_go(uint64_t covered, size_t bytes_max) {
    while (waiting_.oldest != kNoBlock &&
           (blocks_[waiting_.oldest].commit <= covered || PQD_CANARY("record-let-go-early")))
      move(waiting_.oldest, stored_);
    bool any = false;
    for (BlockNo at = stored_.latest; at != kNoBlock && bytes_in_use_ > bytes_max;)
      any |= let_go_of(std::exchange(at, blocks_[at].previous));
    for (BlockNo at = read_back_.oldest; at != kNoBlock && bytes_in_use_ > bytes_max;)
      any |= let_go_of(std::exchange(at, blocks_[at].next));
    // What no flood wants any more goes back to the allocator, bit by bit.
    if (!any && spares_.size() > 1) spares_.resize(spares_.size() / 2);
  }
  // The same of what was read back, down to what is about to be wanted; what somebody needs is for let_go().
  void let_read_back_go(size_t bytes_max) {
    for (size_t looks = kLooksMax;
         looks > 0 && bytes_in_use_ > bytes_max && read_back_.bytes > kReadBackBytes; --looks)
      if (!let_go_of(read_back_.oldest)) move(read_back_.oldest, stored_);
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
    blocks_[block].commit = commit;
    link(block, waiting_);
    drop_user(block);
  }
  // The same of one that no store will have.
  void seal_unstored(BlockNo block) { drop_user(block); }

  // How many use the block, jobs among them; 0 = it is free.
  uint32_t users(BlockNo block) const {
    return block < blocks_.size() ? blocks_[block].users + blocks_[block].records : 0;
  }
  size_t blocks_in_use() const { return blocks_.size() - free_.size(); }
  // Of closed blocks of commits and of what was read.
  size_t bytes_in_use() const { return bytes_in_use_; }

 private:
  // Closed blocks that are not away, in the order in which they came.
  struct Line {
    BlockNo oldest = kNoBlock, latest = kNoBlock;
    size_t bytes = 0;
  };
  struct Block {
    std::shared_ptr<Bytes> bytes;  // nullptr = free, or away
    uint64_t commit = 0;           // of one in `waiting_`
    uint32_t users = 0;
    uint32_t records = 0;
    Line* line = nullptr;  // nullptr = none
    BlockNo previous = kNoBlock, next = kNoBlock;
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
  BlockNo adopt(Bytes bytes, Line& line, uint64_t commit = 0) {
    const BlockNo block = add(std::make_shared<Bytes>(std::move(bytes)));
    blocks_[block].commit = commit;
    link(block, line);
    return block;
  }
  void free_unused(BlockNo block) {
    Block& unused = blocks_[block];
    if (unused.users + unused.records != 0) return;
    unlink(block);
    unused = {};
    free_.push_back(block);
  }
  // False: somebody needs them.
  bool let_go_of(BlockNo number) {
    Block& block = blocks_[number];
    if (block.users != 0) return false;
    unlink(number);
    keep_spare(std::exchange(block.bytes, nullptr));
    return true;
  }
  void link(BlockNo number, Line& line) {
    Block& block = blocks_[number];
    block.line = &line;
    block.previous = line.latest;
    (line.latest == kNoBlock ? line.oldest : blocks_[line.latest].next) = number;
    line.latest = number;
    line.bytes += block.bytes->size();
    bytes_in_use_ += block.bytes->size();
  }
  void unlink(BlockNo number) {
    Block& block = blocks_[number];
    if (block.line == nullptr) return;
    Line& line = *std::exchange(block.line, nullptr);
    (block.previous == kNoBlock ? line.oldest : blocks_[block.previous].next) = block.next;
    (block.next == kNoBlock ? line.latest : blocks_[block.next].previous) = block.previous;
    block.previous = block.next = kNoBlock;
    line.bytes -= block.bytes->size();
    bytes_in_use_ -= block.bytes->size();
  }
  void move(BlockNo number, Line& to) {
    unlink(number);
    link(number, to);
  }
  void keep_spare(std::shared_ptr<Bytes> bytes) {
    // Others may hold it still: who read a commit of other threads has done so before the checkpoint that
    // covers it was told of, and they do no more than let it go. And a page that was had before costs
    // nothing, but for a very small block.
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

  // Of what was read back so much stays for what is about to be wanted.
  static constexpr size_t kReadBackBytes = 4u << 20;
  static constexpr size_t kLooksMax = 8;  // of one call

  std::vector<std::shared_ptr<Bytes>> spares_;  // empty ones, with room
  std::vector<Block> blocks_;
  std::vector<BlockNo> free_;
  Line waiting_;    // commits that no checkpoint covers, in their order
  Line stored_;     // that the store has
  Line read_back_;  // the same, once they were wanted
  size_t bytes_in_use_ = 0;
};

}  // namespace pqd
