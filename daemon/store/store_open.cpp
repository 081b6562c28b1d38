// The store's way in and out: lock, format, RocksDB.
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

#include "core/job_row.h"
#include "daemon/store/directory_lock.h"
#include "daemon/store/done_index.h"
#include "daemon/store/format_file.h"
#include "daemon/store/keys.h"
#include "daemon/store/meta_keys.h"
#include "daemon/store/ordered_logs.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/rocksdb_log.h"
#include "daemon/store/store.h"
#include "daemon/store/store_event_listener.h"
#include "daemon/store/tuning.h"

namespace pqd {
namespace {

// Room that a start needs for RocksDB's first files.
constexpr uint64_t kStartBytesMin = 16 << 20;

StoreResult<void> make_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return std::unexpected(StoreError{errno == ENOSPC ? Error::kNoSpace : Error::kSystemError,
                                    "cannot make " + directory + ": " + std::strerror(errno), true});
}

}  // namespace

Store::Store() : clock_(std::make_shared<CheckpointClock>(0)) {}

Store::~Store() {
  if (!db_) return;
  for (auto* family : families_)
    if (family != nullptr) db_->DestroyColumnFamilyHandle(family);
  db_->Close();
}

StoreResult<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store);
  store->directory_ = options.directory;
  store->listener_ = std::make_shared<StoreEventListener>();
  StoreResult<void> ready;
  if (!options.read_only) ready = store->take_directory();
  if (ready) ready = check_format(options.directory, !options.read_only);
  if (ready) ready = store->open_database(options);
  if (ready) ready = store->find_last_commit();
  if (ready && !options.read_only) ready = store->index_done();
  if (!ready) return std::unexpected(ready.error());
  return store;
}

StoreResult<void> Store::take_directory() {
  if (auto made = make_directory(directory_); !made) return made;
  auto lock = lock_directory(directory_);
  if (!lock) return std::unexpected(lock.error());
  lock_ = std::move(*lock);
  const uint64_t free = free_bytes();
  if (free >= kStartBytesMin) return {};
  return std::unexpected(StoreError{Error::kNoSpace,
                                    "the disk under " + directory_ + " has " + std::to_string(free >> 10) +
                                        " KiB free, a start takes " + std::to_string(kStartBytesMin >> 10) +
                                        ": free space, then start again",
                                    true});
}

rocksdb::Env* Store::ordered_env(const StoreOptions& options) {
  const auto below = options.env != nullptr ? options.env->GetFileSystem() : rocksdb::FileSystem::Default();
  env_ = rocksdb::NewCompositeEnv(std::make_shared<OrderedLogs>(below));
  return env_.get();
}

StoreResult<void> Store::open_database(const StoreOptions& options) {
  const std::string path = directory_ + "/db";
  rocksdb::DB* db = nullptr;
  rocksdb::DBOptions writing;
  if (!options.read_only) {
    writing = db_options(listener_, ordered_env(options));
    writing.info_log = open_rocksdb_log(path);
  }
  const auto all = families(clock_, options.buffer_divisor);
  if (const std::string unknown = unknown_family(path, options.env, all); !unknown.empty())
    return std::unexpected(StoreError{Error::kSystemError,
                                      "the store in " + directory_ +
                                          " has a part that this pqd does not know (" + unknown +
                                          "): use the pqd that wrote it, or a newer one",
                                      true});
  const auto there = options.read_only ? families_there(path, options.env, all) : all;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const auto status = options.read_only ? rocksdb::DB::OpenForReadOnly(read_only_options(options.env), path,
                                                                       there, &handles, &db)
                                        : rocksdb::DB::Open(writing, path, all, &handles, &db);
  if (!status.ok()) return failure("cannot open the store in " + directory_, status);
  db_.reset(db);
  // In the order of Family, and nothing for one that an earlier pqd did not make.
  for (size_t i = 0, at = 0; i < all.size(); ++i)
    families_.push_back(at < there.size() && there[at].name == all[i].name ? handles[at++] : nullptr);
  return options.read_only ? StoreResult<void>() : sync_directory(directory_);
}

StoreResult<void> Store::find_last_commit() {
  const auto it = iterate(kJournal);
  it->SeekToLast();
  if (it->Valid()) last_commit_ = keys::number(view(it->key())).value_or(0);
  if (!it->status().ok()) return failure("cannot read the journal", it->status());
  const auto checkpoint = load_checkpoint();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  if (*checkpoint) blocks_deleted_to_ = (*checkpoint)->covered;
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
    written = write(batch, true);
    batch.Clear();
    return written.has_value();
  });
  if (!read) return read;
  if (!written) return written;
  // The mark counts for all of them: they have to survive whatever it survives.
  if (batch.Count() > 0)
    if (auto ok = write(batch, true); !ok) return ok;
  batch.Clear();
  batch.Put(families_[kMeta], slice(kIndexedKey), rocksdb::Slice());
  return write(batch, false);
}

uint64_t Store::free_bytes() const {
  struct statvfs fs {};
  if (::statvfs(directory_.c_str(), &fs) != 0) return 0;
  return fs.f_bavail * fs.f_frsize;
}

}  // namespace pqd
