#include "daemon/store/store.h"

#include <cstdlib>

#include "daemon/store/keys.h"
#include "daemon/store/meta_keys.h"
#include "daemon/store/metrics_keys.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/store_event_listener.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// Never back: two threads sync, and either may end first.
void raise(std::atomic<uint64_t>& to, uint64_t value) {
  uint64_t now = to.load(std::memory_order_relaxed);
  // release: see Store.
  while (now < value && !to.compare_exchange_weak(now, value, std::memory_order_release)) {
  }
}

}  // namespace

StoreResult<uint32_t> Store::next_epoch() {
  auto found = get(kMeta, as_bytes(kEpochKey));
  if (!found) return std::unexpected(found.error());
  uint32_t epoch = 0;
  if (*found && (*found)->size() == sizeof epoch) std::memcpy(&epoch, (*found)->data(), sizeof epoch);
  ++epoch;
  rocksdb::WriteBatch batch;
  batch.Put(families_[kMeta], slice(kEpochKey),
            rocksdb::Slice(reinterpret_cast<const char*>(&epoch), sizeof epoch));
  if (auto ok = database_->write(batch, true); !ok) return std::unexpected(ok.error());
  epoch_ = epoch;
  return epoch;
}

StoreResult<void> Store::go_on_after(uint64_t number) {
  rocksdb::WriteBatch strays;
  const auto it = iterate(kJournal);
  const auto first = keys::of(number + 1);
  for (it->Seek(slice(first)); it->Valid(); it->Next()) {
    strays.Delete(families_[kJournal], it->key());
  }
  if (!it->status().ok()) return failure("cannot read the journal", it->status());
  const auto blocks = iterate(kBlocks);
  for (blocks->Seek(slice(first)); blocks->Valid(); blocks->Next())
    strays.Delete(families_[kBlocks], blocks->key());
  if (!blocks->status().ok()) return failure("cannot read the blocks", blocks->status());
  if (strays.Count() > 0)
    if (auto ok = database_->write(strays, true); !ok) return ok;
  last_commit_.store(number, std::memory_order_relaxed);
  {
    const std::lock_guard lock(blocks_mutex_);
    cuts_.erase(cuts_.upper_bound(number), cuts_.end());
  }
  // An open puts what it read from the log into tables, and syncs them.
  raise(synced_commits_, number);
  return {};
}

StoreResult<void> Store::append(uint64_t number, ByteView entry, ByteView block,
                                std::span<const uint32_t> cuts) {
  if (number != last_commit() + 1) std::abort();
  rocksdb::WriteBatch batch(entry.size() + block.size() + 128 + 32 * cuts.size());
  batch.Put(families_[kJournal], slice(keys::of(number)), slice(entry));
  uint32_t from = 0;
  for (size_t i = 0; from < block.size(); ++i) {
    const uint32_t to = i < cuts.size() ? cuts[i] : static_cast<uint32_t>(block.size());
    const BlockPieceKey key({number, from});
    batch.Put(families_[kBlocks], slice(key.bytes()), slice(block.subspan(from, to - from)));
    from = to;
  }
  // acquire: see synced_commits_.
  if (const uint64_t synced = synced_commits_.load(std::memory_order_acquire); synced > synced_told_) {
    batch.Put(families_[kMeta], slice(kSyncedKey), slice(keys::of(synced)));
    synced_told_ = synced;
  }
  if (!cuts.empty()) {
    const std::lock_guard lock(blocks_mutex_);
    cuts_.emplace_hint(cuts_.end(), number, std::vector(cuts.begin(), cuts.end()));
  }
  if (auto ok = database_->write(batch, false); !ok) return ok;
  last_commit_.store(number, std::memory_order_relaxed);
  return {};
}

StoreResult<void> Store::sync(uint64_t number) {
  const uint64_t checkpoints = checkpoints_.load(std::memory_order_acquire);
  if (auto ok = database_->sync(); !ok) return ok;
  raise(synced_commits_, number);
  raise(synced_checkpoints_, checkpoints);
  return {};
}

// A power cut may leave a piece of the log and take one before it, and RocksDB reads on over the gap.
StoreResult<void> Store::sync_before_checkpoint(uint64_t covered) {
  if (synced_commits_.load(std::memory_order_acquire) >= covered &&
      synced_checkpoints_.load(std::memory_order_acquire) >= checkpoints_.load(std::memory_order_relaxed))
    return {};
  PQD_CRASH_POINT("checkpoint-before-sync");
  return sync(covered);
}

StoreResult<void> Store::checkpoint(const CheckpointBatch& batch) {
  if (auto ok = sync_before_checkpoint(batch.covered); !ok) return ok;
  rocksdb::WriteBatch out;
  if (auto ok = put_live(batch, out); !ok) return ok;
  if (batch.done_deletes.empty()) {
    if (auto ok = put_done_ahead(batch); !ok) return ok;
    if (auto ok = sync_before_checkpoint(batch.covered); !ok) return ok;
  } else {
    if (auto ok = put_done_within(batch, out); !ok) return ok;
  }
  for (const JobNo job : batch.dead_letter_deletes) out.Delete(families_[kDeadLetters], slice(keys::of(job)));
  for (const auto& [job, id] : batch.dead_letter_puts) {
    out.Put(families_[kDeadLetters], slice(keys::of(job)), slice(keys::of(id)));
  }
  for (const auto& [key, kept] : batch.keys) {
    const rocksdb::Slice at = slice(std::as_bytes(std::span(key)));
    if (kept)
      out.Put(families_[kKeys], at, slice(std::as_bytes(std::span(&*kept, 1))));
    else
      out.Delete(families_[kKeys], at);
  }
  for (const auto& [key, row] : batch.metrics)
    out.Put(families_[kMetrics], slice(write_metrics_key(key)), slice(row));
  // relaxed: see CheckpointClock.
  database_->clock(partition_).store(batch.now_ns, std::memory_order_relaxed);
  Bytes head;
  ByteWriter writer(head);
  writer.pod(batch.covered);
  writer.raw_bytes(batch.tables);
  out.Put(families_[kMeta], slice(kCheckpointKey), slice(head));
  drop_blocks(batch.covered, out);
  if (auto ok = database_->write(out, false); !ok) return ok;
  checkpoints_.fetch_add(1, std::memory_order_release);
  return {};
}

}  // namespace pqd
