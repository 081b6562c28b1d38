// What all partitions of a store share: the directory, its lock and format, one RocksDB with one log, and the
// end after the first failed write. A partition's families, numbers and reads are class Store's. Whoever
// syncs makes durable what all partitions have written by then, and syncs that come at the same time are one
// fsync: so many partitions cost one.
//
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/job.h"
#include "core/partition.h"
#include "daemon/store/store_error.h"
#include "shm/unique_fd.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class WriteBatch;
}  // namespace rocksdb

namespace pqd {

class StoreEventListener;

struct StoreOptions {
  std::string directory;        // made when it is not there
  bool read_only = false;       // a look at how it stands now: no lock, no file made, also beside its owner
  rocksdb::Env* env = nullptr;  // for fault injection; not owned
  uint32_t buffer_divisor = 1;  // write buffers so much smaller: little data goes all ways, in tests
  // 1..kPartitionsMax: of a store that is made; one that is there and has another number is refused. 0 = as
  // many as it has, one where it is made.
  uint32_t partitions = 0;
};

class Database {
 public:
  static StoreResult<std::shared_ptr<Database>> open(const StoreOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  uint32_t partitions() const { return partitions_; }
  const std::string& directory() const { return directory_; }
  bool read_only() const { return read_only_; }
  rocksdb::DB& db() const { return *db_; }
  // In the order of kFamilyKinds; nullptr for one that an earlier pqd did not make.
  std::span<rocksdb::ColumnFamilyHandle* const> families(PartitionNo partition) const;
  // The clock of the partition's latest checkpoint, for the sweep of rows that are over.
  std::atomic<TimeNs>& clock(PartitionNo partition) const { return *clocks_[partition]; }

  // All or nothing. After the first one that fails, and after an error of RocksDB's background, all fail.
  StoreResult<void> write(rocksdb::WriteBatch& batch, bool sync);
  // All that was written before survives power loss when it returns; writes go on meanwhile. Who comes while
  // one is under way has the next one in common with all who come by then. Fails as write() does.
  StoreResult<void> sync();
  // So many callers of sync() wait for one that has not begun.
  uint32_t syncs_waiting() const;

  // A copy of all that is there, in the directory kCopyName of this one: tables as links to the same files,
  // the log copied. An earlier copy goes. Returns its path; an error here is no end of the store. One at a
  // time.
  StoreResult<std::string> copy_beside() const;
  static StoreResult<void> remove_copy(const std::string& directory);
  static constexpr const char* kCopyName = "backup";

  // Free bytes on the file system of the directory.
  uint64_t free_bytes() const;

 private:
  Database(const StoreOptions& options, std::shared_ptr<StoreEventListener> listener);
  StoreResult<void> take_directory();
  StoreResult<void> take_format(const StoreOptions& options);
  StoreResult<void> open_database(const StoreOptions& options);
  rocksdb::Env* ordered_env(const StoreOptions& options);

  const std::string directory_;
  const bool read_only_;
  uint32_t partitions_ = 1;
  UniqueFd lock_;
  std::shared_ptr<StoreEventListener> listener_;
  std::vector<std::shared_ptr<std::atomic<TimeNs>>> clocks_;
  std::unique_ptr<rocksdb::Env> env_;  // with OrderedLogs; outlives the database
  // In the order of families().
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<rocksdb::DB> db_;

  mutable std::mutex sync_mutex_;  // guards the following
  std::condition_variable sync_ended_;
  uint64_t syncs_begun_ = 0;
  uint64_t syncs_ended_ = 0;
  uint32_t syncs_waiting_ = 0;
};

}  // namespace pqd
