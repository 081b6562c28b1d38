#include "daemon/store/store.h"

#include <cstdlib>

#include "core/job_row.h"
#include "daemon/store/done_index.h"
#include "daemon/store/keys.h"
#include "daemon/store/meta_keys.h"
#include "daemon/store/metrics_keys.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/store_event_listener.h"
#include "shm/crash_point.h"

namespace pqd {

StoreResult<void> Store::write(rocksdb::WriteBatch& batch, bool sync) {
  if (listener_->failed()) return std::unexpected(listener_->error());
  rocksdb::WriteOptions options;
  options.sync = sync;
  options.protection_bytes_per_key = 8;
  PQD_CRASH_POINT("store-before-write");
  const auto status = db_->Write(options, &batch);
  PQD_CRASH_POINT("store-written");
  if (status.ok()) return {};
  auto failed = failure("cannot write to the store in " + directory_, status);
  listener_->fail(failed.error());
  return failed;
}

StoreResult<uint32_t> Store::next_epoch() {
  auto found = get(kMeta, as_bytes(kEpochKey));
  if (!found) return std::unexpected(found.error());
  uint32_t epoch = 0;
  if (*found && (*found)->size() == sizeof epoch) std::memcpy(&epoch, (*found)->data(), sizeof epoch);
  ++epoch;
  rocksdb::WriteBatch batch;
  batch.Put(families_[kMeta], slice(kEpochKey),
            rocksdb::Slice(reinterpret_cast<const char*>(&epoch), sizeof epoch));
  if (auto ok = write(batch, true); !ok) return std::unexpected(ok.error());
  return epoch;
}

StoreResult<void> Store::append(uint64_t number, ByteView entry, ByteView block) {
  if (number != last_commit() + 1) std::abort();
  rocksdb::WriteBatch batch(entry.size() + block.size() + 128);
  const auto key = keys::of(number);
  batch.Put(families_[kJournal], slice(key), slice(entry));
  if (!block.empty()) batch.Put(families_[kBlocks], slice(key), slice(block));
  if (auto ok = write(batch, false); !ok) return ok;
  last_commit_.store(number, std::memory_order_relaxed);
  return {};
}

StoreResult<void> Store::sync(uint64_t number) {
  // Syncing a write syncs the log up to it, and with that every append before.
  rocksdb::WriteBatch batch;
  batch.Put(families_[kMeta], slice(kSyncedKey), slice(keys::of(number)));
  return write(batch, true);
}

StoreResult<void> Store::checkpoint(const CheckpointBatch& batch) {
  rocksdb::WriteBatch out;
  for (const auto& [job, row] : batch.live_puts) out.Put(families_[kLive], slice(keys::of(job)), slice(row));
  for (const JobNo job : batch.live_deletes) out.Delete(families_[kLive], slice(keys::of(job)));
  if (auto ok = put_done(batch, out); !ok) return ok;
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
  clock_->store(batch.now_ns, std::memory_order_relaxed);
  Bytes head;
  ByteWriter writer(head);
  writer.pod(batch.covered);
  writer.raw_bytes(batch.tables);
  out.Put(families_[kMeta], slice(kCheckpointKey), slice(head));
  for (uint64_t n = blocks_deleted_to_ + 1; n <= batch.covered; ++n) {
    out.Delete(families_[kBlocks], slice(keys::of(n)));
  }
  if (auto ok = write(out, false); !ok) return ok;
  blocks_deleted_to_ = batch.covered;
  return {};
}

StoreResult<void> Store::put_done(const CheckpointBatch& batch, rocksdb::WriteBatch& out) const {
  for (const auto& id : batch.done_deletes) {
    // Few: what was redriven or purged. Its row says under which key it stands.
    const auto row = find_done(id);
    if (!row) return std::unexpected(row.error());
    const auto core = *row ? decode_row_core(**row) : std::unexpected(Error::kNotFound);
    if (core) out.Delete(families_[kDoneIndex], slice(write_done_key({DoneGroup::of(*core), id})));
    out.Delete(families_[kDone], slice(keys::of(id)));
  }
  for (const auto& [id, row] : batch.done_puts) {
    out.Put(families_[kDone], slice(keys::of(id)), slice(row));
    // A row that cannot be read is found out by whoever reads it.
    if (const auto core = decode_row_core(row))
      out.Put(families_[kDoneIndex], slice(write_done_key({DoneGroup::of(*core), id})), rocksdb::Slice());
  }
  return {};
}

}  // namespace pqd
