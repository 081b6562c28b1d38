#include "daemon/store/store.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "daemon/store/directory_lock.h"
#include "daemon/store/keys.h"
#include "daemon/store/rocksdb_include.h"
#include "daemon/store/store_event_listener.h"

namespace pqd {
namespace {

constexpr uint32_t kFormatVersion = 1;
constexpr const char* kFamilyNames[] = {"default", "journal",      "blocks", "live",
                                        "done",    "dead_letters", "meta"};
constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kEpochKey = "epoch";
constexpr std::string_view kSyncedKey = "synced";
constexpr std::string_view kCheckpointKey = "checkpoint";

// Room that a start needs for RocksDB's first files, and that intake leaves alone.
constexpr uint64_t kStartBytesMin = 16 << 20;

rocksdb::Slice slice(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
ByteView view(const rocksdb::Slice& s) { return as_bytes(std::string_view(s.data(), s.size())); }

std::unexpected<StoreError> failure(const std::string& what, const rocksdb::Status& status) {
  const Error code = status.IsNoSpace() ? Error::kNoSpace : Error::kSystemError;
  return std::unexpected(StoreError{code, what + ": " + status.ToString(), true});
}

rocksdb::Options db_options(const std::shared_ptr<StoreEventListener>& listener, rocksdb::Env* env) {
  rocksdb::Options options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.listeners = {listener};
  // Fail-stop: whatever goes wrong, nothing is tried again behind our back.
  options.max_bgerror_resume_count = 0;
  options.manual_wal_flush = false;
  options.atomic_flush = false;
  options.recycle_log_file_num = 0;
  options.allow_mmap_reads = false;
  options.allow_mmap_writes = false;
  options.wal_compression = rocksdb::kNoCompression;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.max_total_wal_size = 512ull << 20;
  options.max_background_jobs = 2;
  options.bytes_per_sync = 1 << 20;
  options.max_open_files = 512;
  // Debian builds RocksDB with DEBUG logging on.
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 4;
  options.max_log_file_size = 8 << 20;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(const std::string& name) {
  rocksdb::ColumnFamilyOptions options;
  options.paranoid_file_checks = true;
  options.write_buffer_size = 32u << 20;
  options.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  if (name == "done" || name == "live") table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  if (name == "blocks") {
    // Written once and, as a rule, deleted before it leaves the write buffer.
    options.compression = rocksdb::kNoCompression;
    options.write_buffer_size = 64u << 20;
  }
  if (name == "meta" || name == "default" || name == "dead_letters") options.write_buffer_size = 4u << 20;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

Store::~Store() {
  if (!db_) return;
  for (auto* family : families_) db_->DestroyColumnFamilyHandle(family);
  db_->Close();
}

StoreResult<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  if (::mkdir(options.directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return std::unexpected(StoreError{errno == ENOSPC ? Error::kNoSpace : Error::kSystemError,
                                      "cannot make " + options.directory + ": " + std::strerror(errno),
                                      true});
  }
  std::unique_ptr<Store> store(new Store);
  store->directory_ = options.directory;
  auto lock = lock_directory(options.directory);
  if (!lock) return std::unexpected(lock.error());
  store->lock_ = std::move(*lock);
  if (store->free_bytes() < kStartBytesMin) {
    return std::unexpected(StoreError{Error::kNoSpace,
                                      "the disk under " + options.directory + " has less than " +
                                          std::to_string(kStartBytesMin >> 20) +
                                          " MiB free: free space, then start again",
                                      true});
  }
  store->listener_ = std::make_shared<StoreEventListener>();
  const rocksdb::Options db_opts = db_options(store->listener_, options.env);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const char* name : kFamilyNames) families.emplace_back(name, family_options(name));
  struct stat there {};
  const bool fresh = ::stat((options.directory + "/db/CURRENT").c_str(), &there) != 0;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(db_opts, options.directory + "/db", families, &store->families_, &db);
  if (!status.ok()) return failure("cannot open the store in " + options.directory, status);
  store->db_.reset(db);
  if (auto ok = store->check_format(fresh); !ok) return std::unexpected(ok.error());
  if (auto ok = store->find_last_commit(); !ok) return std::unexpected(ok.error());
  return store;
}

StoreResult<void> Store::check_format(bool fresh) {
  auto found = get(kMeta, as_bytes(kFormatKey));
  if (!found) return std::unexpected(found.error());
  if (!*found) {
    if (!fresh) {
      return std::unexpected(StoreError{
          Error::kSystemError, directory_ + "/db is a RocksDB database, but not one of pqd's", true});
    }
    rocksdb::WriteBatch batch;
    batch.Put(families_[kMeta], slice(kFormatKey),
              rocksdb::Slice(reinterpret_cast<const char*>(&kFormatVersion), sizeof kFormatVersion));
    return write(batch, true);
  }
  uint32_t version = 0;
  if ((*found)->size() == sizeof version) std::memcpy(&version, (*found)->data(), sizeof version);
  if (version == kFormatVersion) return {};
  return std::unexpected(StoreError{Error::kSystemError,
                                    "the store in " + directory_ + " has format " + std::to_string(version) +
                                        ", this pqd knows format " + std::to_string(kFormatVersion) +
                                        ": use the pqd that wrote it, or a newer one",
                                    true});
}

StoreResult<void> Store::find_last_commit() {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), families_[kJournal]));
  it->SeekToLast();
  if (it->Valid()) last_commit_ = keys::number(view(it->key())).value_or(0);
  if (!it->status().ok()) return failure("cannot read the journal", it->status());
  const auto checkpoint = load_checkpoint();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  if (*checkpoint) blocks_deleted_to_ = (*checkpoint)->covered;
  return {};
}

StoreResult<void> Store::write(rocksdb::WriteBatch& batch, bool sync) {
  if (listener_->failed()) return std::unexpected(StoreError{Error::kSystemError, listener_->text(), true});
  rocksdb::WriteOptions options;
  options.sync = sync;
  options.protection_bytes_per_key = 8;
  const auto status = db_->Write(options, &batch);
  if (status.ok()) return {};
  listener_->fail("write: " + status.ToString());
  return failure("cannot write to the store in " + directory_, status);
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
  for (const auto& id : batch.done_deletes) out.Delete(families_[kDone], slice(keys::of(id)));
  for (const auto& [id, row] : batch.done_puts) out.Put(families_[kDone], slice(keys::of(id)), slice(row));
  for (const JobNo job : batch.dead_letter_deletes) out.Delete(families_[kDeadLetters], slice(keys::of(job)));
  for (const auto& [job, id] : batch.dead_letter_puts) {
    out.Put(families_[kDeadLetters], slice(keys::of(job)), slice(keys::of(id)));
  }
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

StoreResult<std::optional<Bytes>> Store::get(Family family, ByteView key) const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(rocksdb::ReadOptions(), families_[family], slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return failure(std::string("cannot read from ") + kFamilyNames[family], status);
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

StoreResult<void> Store::for_each_live(const std::function<bool(JobNo, ByteView)>& f) const {
  rocksdb::ReadOptions options;
  options.readahead_size = 2 << 20;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, families_[kLive]));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    if (!f(keys::number(view(it->key())).value_or(0), view(it->value()))) break;
  }
  if (!it->status().ok()) return failure("cannot read the live jobs", it->status());
  return {};
}

StoreResult<void> Store::for_each_commit(uint64_t from, const CommitVisitor& f) const {
  rocksdb::ReadOptions options;
  options.readahead_size = 2 << 20;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, families_[kJournal]));
  const auto first = keys::of(from);
  for (it->Seek(slice(first)); it->Valid(); it->Next()) {
    const uint64_t number = keys::number(view(it->key())).value_or(0);
    const auto block = get(kBlocks, keys::of(number));
    if (!block) return std::unexpected(block.error());
    if (!f(number, view(it->value()), *block ? ByteView(**block) : ByteView())) break;
  }
  if (!it->status().ok()) return failure("cannot read the journal", it->status());
  return {};
}

StoreResult<void> Store::for_each_done(const std::optional<JobId>& older_than,
                                       const std::function<bool(const JobId&, ByteView)>& f) const {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), families_[kDone]));
  if (older_than) {
    const auto bound = keys::of(*older_than);
    it->SeekForPrev(slice(bound));
    if (it->Valid() && it->key() == slice(bound)) it->Prev();
  } else {
    it->SeekToLast();
  }
  for (; it->Valid(); it->Prev()) {
    if (!f(keys::id(view(it->key())).value_or(JobId{}), view(it->value()))) break;
  }
  if (!it->status().ok()) return failure("cannot read the finished jobs", it->status());
  return {};
}

StoreResult<void> Store::for_each_dead_letter(const std::function<bool(JobNo, const JobId&)>& f) const {
  const std::unique_ptr<rocksdb::Iterator> it(
      db_->NewIterator(rocksdb::ReadOptions(), families_[kDeadLetters]));
  for (it->SeekToLast(); it->Valid(); it->Prev()) {
    if (!f(keys::number(view(it->key())).value_or(0), keys::id(view(it->value())).value_or(JobId{}))) break;
  }
  if (!it->status().ok()) return failure("cannot read the dead letters", it->status());
  return {};
}

StoreResult<std::optional<Bytes>> Store::find_live(JobNo job) const { return get(kLive, keys::of(job)); }
StoreResult<std::optional<Bytes>> Store::find_done(const JobId& id) const { return get(kDone, keys::of(id)); }
StoreResult<std::optional<Bytes>> Store::find_entry(uint64_t number) const {
  return get(kJournal, keys::of(number));
}

uint64_t Store::free_bytes() const {
  struct statvfs fs {};
  if (::statvfs(directory_.c_str(), &fs) != 0) return 0;
  return fs.f_bavail * fs.f_frsize;
}

}  // namespace pqd
