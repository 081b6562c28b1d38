#include "daemon/store/database.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "daemon/store/directory_lock.h"
#include "daemon/store/format_file.h"
#include "daemon/store/ordered_logs.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/rocksdb_log.h"
#include "daemon/store/store_event_listener.h"
#include "daemon/store/tuning.h"
#include "shm/crash_point.h"

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

Database::Database(const StoreOptions& options, std::shared_ptr<StoreEventListener> listener)
    : directory_(options.directory), read_only_(options.read_only), listener_(std::move(listener)) {}

Database::~Database() {
  if (!db_) return;
  for (auto* family : families_)
    if (family != nullptr) db_->DestroyColumnFamilyHandle(family);
  db_->Close();
}

StoreResult<std::shared_ptr<Database>> Database::open(const StoreOptions& options) {
  std::shared_ptr<Database> database(new Database(options, std::make_shared<StoreEventListener>()));
  StoreResult<void> ready;
  if (!options.read_only) ready = database->take_directory();
  if (ready) ready = database->take_format(options);
  if (ready) ready = database->open_database(options);
  if (!ready) return std::unexpected(ready.error());
  return database;
}

StoreResult<void> Database::take_directory() {
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

StoreResult<void> Database::take_format(const StoreOptions& options) {
  const auto there = check_format(directory_, !read_only_, std::max(options.partitions, 1u));
  if (!there) return std::unexpected(there.error());
  partitions_ = *there;
  if (options.partitions == 0 || options.partitions == partitions_) return {};
  return std::unexpected(StoreError{
      Error::kSystemError,
      "[engine] partitions = " + std::to_string(options.partitions) + ", but the store was made with " +
          std::to_string(partitions_) + ", which cannot be changed: set partitions = " +
          std::to_string(partitions_) + ", or give pqd a new state_dir in place of " + directory_,
      true});
}

rocksdb::Env* Database::ordered_env(const StoreOptions& options) {
  const auto below = options.env != nullptr ? options.env->GetFileSystem() : rocksdb::FileSystem::Default();
  env_ = rocksdb::NewCompositeEnv(std::make_shared<OrderedLogs>(below, directory_ + "/db"));
  return env_.get();
}

StoreResult<void> Database::open_database(const StoreOptions& options) {
  const std::string path = directory_ + "/db";
  rocksdb::DB* db = nullptr;
  rocksdb::DBOptions writing;
  if (!options.read_only) {
    writing = db_options(listener_, ordered_env(options));
    writing.info_log = open_rocksdb_log(path);
  }
  for (uint32_t i = 0; i < partitions_; ++i) clocks_.push_back(std::make_shared<CheckpointClock>(0));
  const auto all = pqd::families(CheckpointClocks(clocks_), options.buffer_divisor);
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
  // In the order of families(), and nothing for one that an earlier pqd did not make.
  for (size_t i = 0, at = 0; i < all.size(); ++i)
    families_.push_back(at < there.size() && there[at].name == all[i].name ? handles[at++] : nullptr);
  return options.read_only ? StoreResult<void>() : sync_directory(directory_);
}

std::span<rocksdb::ColumnFamilyHandle* const> Database::families(PartitionNo partition) const {
  return std::span(families_).subspan(1 + partition * kFamilyKinds.size(), kFamilyKinds.size());
}

StoreResult<void> Database::write(rocksdb::WriteBatch& batch, bool sync) {
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

// SyncWAL stands in no line of writes, and lets them go on; a write that asks for a sync does neither. Of a
// log that was not the last any more when its sync ended, an unsynced end could be forgotten: there is none,
// see OrderedLogs.
StoreResult<void> Database::sync() {
  std::unique_lock lock(sync_mutex_);
  // The one under way may have begun before the caller's last write.
  const uint64_t wanted = syncs_begun_ + 1;
  ++syncs_waiting_;
  sync_ended_.wait(lock, [&] { return syncs_begun_ >= wanted || syncs_begun_ == syncs_ended_; });
  --syncs_waiting_;
  if (syncs_begun_ >= wanted) {
    sync_ended_.wait(lock, [&] { return syncs_ended_ >= wanted; });
  } else {
    ++syncs_begun_;
    lock.unlock();
    PQD_CRASH_POINT("store-before-sync");
    if (!listener_->failed())
      if (const auto status = db_->SyncWAL(); !status.ok())
        listener_->fail(failure("cannot sync the store in " + directory_, status).error());
    PQD_CRASH_POINT("store-synced");
    lock.lock();
    ++syncs_ended_;
    lock.unlock();
    sync_ended_.notify_all();
  }
  // Who had it in common with one that failed has failed as well.
  if (listener_->failed()) return std::unexpected(listener_->error());
  return {};
}

uint32_t Database::syncs_waiting() const {
  const std::lock_guard lock(sync_mutex_);
  return syncs_waiting_;
}

uint64_t Database::free_bytes() const {
  struct statvfs fs {};
  if (::statvfs(directory_.c_str(), &fs) != 0) return 0;
  return fs.f_bavail * fs.f_frsize;
}

}  // namespace pqd
