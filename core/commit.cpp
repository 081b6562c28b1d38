#include "core/commit.h"

#include "core/limits.h"
#include "core/short_hash.h"

namespace pqd {

void make_due_hashes(Commit& commit) {
  Bytes& entry = *commit.entry;
  const ByteView block(*commit.block_bytes);
  for (const DueHash& due : commit.due) {
    const ShortHash hash = short_hash(block.subspan(due.of.offset, due.of.bytes));
    std::memcpy(entry.data() + due.at, hash.data(), hash.size());
  }
  commit.due.clear();
}

void seal(Commit& commit, const ChainHash& previous) {
  make_due_hashes(commit);
  Bytes& entry = *commit.entry;
  std::memcpy(entry.data() + offsetof(EntryHead, previous), previous.data(), previous.size());
  commit.hash = entry_hash(entry);
}

CommitBuilder::CommitBuilder(BlockPool& blocks, uint64_t number, TimeNs now_ns)
    : blocks_(blocks), number_(number), now_ns_(now_ns), block_(blocks.open()) {
  events_.resize(sizeof(EntryHead));
}

size_t CommitBuilder::bytes() const { return events_.size() + blocks_.shared(block_)->size(); }

bool CommitBuilder::full() const {
  return events_.size() >= limits::kCommitEventBytes ||
         blocks_.shared(block_)->size() >= limits::kCommitBlockBytes;
}

std::span<std::byte> CommitBuilder::add_room(size_t bytes, BlobRef& blob) {
  Bytes& block = blocks_.open_bytes(block_);
  const size_t offset = (block.size() + 7) & ~size_t{7};
  const size_t piece = cuts_.empty() ? 0 : cuts_.back();
  const bool full = piece_records_ == kBlockPieceRecords || offset + bytes - piece > kBlockPieceBytes;
  if (full && offset > piece) {
    cuts_.push_back(static_cast<uint32_t>(offset));
    piece_records_ = 0;
  }
  ++piece_records_;
  block.resize(offset + bytes);
  blob = {static_cast<uint32_t>(offset), static_cast<uint32_t>(bytes)};
  return std::span(block).subspan(offset, bytes);
}

BlobRef CommitBuilder::add_blob(ByteView bytes) {
  if (bytes.empty()) return {};
  BlobRef blob;
  std::memcpy(add_room(bytes.size(), blob).data(), bytes.data(), bytes.size());
  return blob;
}

void CommitBuilder::drop_last(const BlobRef& blob) {
  blocks_.open_bytes(block_).resize(blob.offset);
  // How many the piece before had is not known any more: it ends here.
  bool ended = false;
  for (; !cuts_.empty() && cuts_.back() >= blob.offset; cuts_.pop_back()) ended = true;
  if (ended)
    piece_records_ = kBlockPieceRecords;
  else if (piece_records_ > 0)
    --piece_records_;
}

ByteView CommitBuilder::blob(const BlobRef& blob) const { return blocks_.view({block_, blob}); }

Commit CommitBuilder::close() {
  blocks_.fit(block_);
  EntryHead head;
  head.number = number_;
  head.now_ns = now_ns_;
  head.event_count = event_count_;
  head.event_bytes = static_cast<uint32_t>(events_.size() - sizeof(EntryHead));
  head.block_bytes = blocks_.shared(block_)->size();
  std::memcpy(events_.data(), &head, sizeof head);
  Commit commit;
  commit.number = number_;
  commit.needs_sync = needs_sync_;
  commit.block = block_;
  commit.entry = std::make_shared<Bytes>(std::move(events_));
  commit.due = std::move(due_);
  commit.block_bytes = blocks_.shared(block_);
  commit.cuts = std::move(cuts_);
  commit.effects = std::move(effects_);
  blocks_.seal(block_, number_);
  return commit;
}

}  // namespace pqd
