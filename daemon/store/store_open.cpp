// The store's way in: a partition of a database.
#include "core/job_row.h"
#include "daemon/store/done_index.h"
#include "daemon/store/keys.h"
#include "daemon/store/meta_keys.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/store.h"
#include "daemon/store/tuning.h"

namespace pqd {

Store::Store(std::shared_ptr<Database> database, PartitionNo partition)
    : database_(std::move(database)), partition_(partition), families_(database_->families(partition)) {}

StoreResult<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  auto database = Database::open(options);
  if (!database) return std::unexpected(database.error());
  return open(std::move(*database), 0);
}

StoreResult<std::unique_ptr<Store>> Store::open(std::shared_ptr<Database> database, PartitionNo partition) {
  static_assert(kFamilyKinds.size() == kFamilyCount && kFamilyKinds[kIndexPacks] == "index_packs");
  std::unique_ptr<Store> store(new Store(std::move(database), partition));
  StoreResult<void> ready = store->find_last_commit();
  if (ready) ready = store->load_packs();
  if (ready && !store->database_->read_only()) ready = store->index_done();
  if (!ready) return std::unexpected(ready.error());
  return store;
}

StoreResult<void> Store::find_last_commit() {
  const auto it = iterate(kJournal);
  it->SeekToLast();
  if (it->Valid()) last_commit_ = keys::number(view(it->key())).value_or(0);
  if (!it->status().ok()) return failure("cannot read the journal", it->status());
  const auto checkpoint = load_checkpoint();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  const std::lock_guard lock(blocks_mutex_);
  if (*checkpoint) blocks_deleted_to_ = (*checkpoint)->covered;
  const auto blocks = iterate(kBlocks);
  for (blocks->Seek(slice(keys::of(blocks_deleted_to_ + 1))); blocks->Valid(); blocks->Next())
    if (const auto piece = BlockPieceKey::read(view(blocks->key())); piece && piece->offset != 0)
      cuts_[piece->commit].push_back(piece->offset);
  if (!blocks->status().ok()) return failure("cannot read the blocks", blocks->status());
  return {};
}

StoreResult<void> Store::index_done() {
  constexpr size_t kBatchBytes = 1u << 20;
  const auto indexed = get(kMeta, as_bytes(kIndexedKey));
  if (!indexed) return std::unexpected(indexed.error());
  if (*indexed) return {};
  rocksdb::WriteBatch batch;
  StoreResult<void> written;
  const auto read = for_each_done(std::nullopt, [&](const JobId& id, ByteView row) {
    if (const auto core = decode_row_core(row))
      batch.Put(families_[kDoneIndex], slice(write_done_key({DoneGroup::of(*core), id})), rocksdb::Slice());
    if (batch.GetDataSize() < kBatchBytes) return true;
    written = database_->write(batch, true);
    batch.Clear();
    return written.has_value();
  });
  if (!read) return read;
  if (!written) return written;
  // The mark counts for all of them: they have to survive whatever it survives.
  if (batch.Count() > 0)
    if (auto ok = database_->write(batch, true); !ok) return ok;
  batch.Clear();
  batch.Put(families_[kMeta], slice(kIndexedKey), rocksdb::Slice());
  return database_->write(batch, false);
}

}  // namespace pqd
