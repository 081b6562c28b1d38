// The store's reading half.
#include "daemon/store/store.h"

#include "daemon/store/keys.h"
#include "daemon/store/meta_keys.h"
#include "daemon/store/rocksdb_bytes.h"

namespace pqd {
namespace {

constexpr size_t kScanBytes = 2 << 20;

}  // namespace

std::unique_ptr<rocksdb::Iterator> Store::iterate(Family family, size_t readahead_bytes) const {
  rocksdb::ReadOptions options;
  options.readahead_size = readahead_bytes;
  options.fill_cache = readahead_bytes == 0;
  const bool there = families_[family] != nullptr;
  return std::unique_ptr<rocksdb::Iterator>(there ? database_->db().NewIterator(options, families_[family])
                                                  : rocksdb::NewEmptyIterator());
}

StoreResult<bool> Store::has_index() const {
  const auto indexed = get(kMeta, as_bytes(kIndexedKey));
  if (!indexed) return std::unexpected(indexed.error());
  return indexed->has_value();
}

Store::Moment::Moment(const Store& store) : store_(store), snapshot_(store.database_->db().GetSnapshot()) {}
Store::Moment::~Moment() { store_.database_->db().ReleaseSnapshot(snapshot_); }

StoreResult<std::optional<Bytes>> Store::get(Family family, ByteView key, const Moment* moment) const {
  if (families_[family] == nullptr) return std::nullopt;
  rocksdb::ReadOptions options;
  if (moment != nullptr) options.snapshot = moment->snapshot_;
  rocksdb::PinnableSlice value;
  const auto status = database_->db().Get(options, families_[family], slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return failure("cannot read from " + families_[family]->GetName(), status);
  const ByteView bytes = view(value);
  return Bytes(bytes.begin(), bytes.end());
}

StoreResult<std::optional<Checkpoint>> Store::load_checkpoint() const {
  const auto found = get(kMeta, as_bytes(kCheckpointKey));
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::nullopt;
  Checkpoint checkpoint;
  ByteReader reader(**found);
  checkpoint.covered = reader.pod<uint64_t>();
  const ByteView tables = reader.raw_bytes(reader.remaining());
  checkpoint.tables.assign(tables.begin(), tables.end());
  if (reader.failed())
    return std::unexpected(StoreError{Error::kSystemError, "the checkpoint is cut short", true});
  return checkpoint;
}

StoreResult<uint64_t> Store::known_synced() const {
  const auto found = get(kMeta, as_bytes(kSyncedKey));
  if (!found) return std::unexpected(found.error());
  return *found ? keys::number(**found).value_or(0) : 0;
}

StoreResult<void> Store::for_each_commit(uint64_t from, const CommitVisitor& f) const {
  const auto it = iterate(kJournal, kScanBytes);
  const auto blocks = iterate(kBlocks, kScanBytes);
  const auto first = keys::of(from);
  for (it->Seek(slice(first)); it->Valid(); it->Next()) {
    const uint64_t number = keys::number(view(it->key())).value_or(0);
    const auto block = read_block(number, *blocks);
    if (!block) return std::unexpected(block.error());
    if (!f(number, view(it->value()), *block)) break;
  }
  if (!it->status().ok()) return failure("cannot read the journal", it->status());
  return {};
}

// Up to the first piece that is not there.
StoreResult<Bytes> Store::read_block(uint64_t commit, rocksdb::Iterator& pieces) const {
  Bytes block;
  const auto first = keys::of(commit);
  if (!pieces.Valid() || pieces.key() != slice(first)) pieces.Seek(slice(first));
  for (; pieces.Valid(); pieces.Next()) {
    const auto piece = BlockPieceKey::read(view(pieces.key()));
    if (!piece || piece->commit != commit || piece->offset != block.size()) break;
    const ByteView bytes = view(pieces.value());
    block.insert(block.end(), bytes.begin(), bytes.end());
  }
  if (!pieces.status().ok()) return failure("cannot read the blocks", pieces.status());
  return block;
}

StoreResult<void> Store::for_each_dead_letter(const std::function<bool(JobNo, const JobId&)>& f) const {
  const auto it = iterate(kDeadLetters);
  for (it->SeekToLast(); it->Valid(); it->Prev()) {
    if (!f(keys::number(view(it->key())).value_or(0), keys::id(view(it->value())).value_or(JobId{}))) break;
  }
  if (!it->status().ok()) return failure("cannot read the dead letters", it->status());
  return {};
}

StoreResult<void> Store::for_each_dead_letter_after(JobNo newer_than,
                                                    const std::function<bool(JobNo, const JobId&)>& f) const {
  const auto it = iterate(kDeadLetters);
  const auto after = keys::of(newer_than);
  it->Seek(slice(after));
  if (it->Valid() && it->key() == slice(after)) it->Next();
  for (; it->Valid(); it->Next()) {
    if (!f(keys::number(view(it->key())).value_or(0), keys::id(view(it->value())).value_or(JobId{}))) break;
  }
  if (!it->status().ok()) return failure("cannot read the dead letters", it->status());
  return {};
}

StoreResult<void> Store::for_each_key(const std::function<bool(bool)>& f) const {
  const auto it = iterate(kKeys);
  for (it->SeekToFirst(); it->Valid(); it->Next())
    if (!f(it->key().size() == sizeof(ShortHash) && it->value().size() == sizeof(KeptKey))) break;
  if (!it->status().ok()) return failure("cannot read the idempotency keys", it->status());
  return {};
}

StoreResult<std::optional<KeptKey>> Store::find_key(const ShortHash& key) const {
  const auto found = get(kKeys, std::as_bytes(std::span(key)));
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::nullopt;
  ByteReader reader(**found);
  const auto kept = reader.pod<KeptKey>();
  if (reader.failed() || reader.remaining() != 0)
    return std::unexpected(StoreError{Error::kSystemError, "the row of an idempotency key is damaged", true});
  return kept;
}
StoreResult<std::optional<Bytes>> Store::find_entry(uint64_t number) const {
  return get(kJournal, keys::of(number));
}

}  // namespace pqd
