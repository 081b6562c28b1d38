// The store: journal, blocks, job rows and small tables in one RocksDB. What is durable when: append()
// survives the death of any process once it has returned, sync() makes everything appended before survive
// power loss. The key layouts are in daemon/store/README.md.
//
// Thread rule: append, sync and checkpoint by one thread each at a time; reads by any thread. After the first
// failed write everything that writes fails, and the process has to end: see StoreError.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/job.h"
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
};

// What a checkpoint changes, all at once. `covered`: every commit up to this one is in it.
struct CheckpointBatch {
  uint64_t covered = 0;
  Bytes tables;
  std::vector<std::pair<JobNo, Bytes>> live_puts;
  std::vector<JobNo> live_deletes;
  std::vector<std::pair<JobId, Bytes>> done_puts;
  std::vector<std::pair<JobNo, JobId>> dead_letter_puts;  // keyed by the number of the life that failed
  std::vector<JobNo> dead_letter_deletes;
  std::vector<JobId> done_deletes;  // redriven
};

struct Checkpoint {
  uint64_t covered = 0;
  Bytes tables;
};

class Store {
 public:
  static StoreResult<std::unique_ptr<Store>> open(const StoreOptions& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // A number that no earlier engine on this store had; durable when it returns.
  StoreResult<uint32_t> next_epoch();

  // REQUIRES: number == last_commit() + 1.
  StoreResult<void> append(uint64_t number, ByteView entry, ByteView block);
  // Every commit up to and with `number` survives power loss when it returns.
  StoreResult<void> sync(uint64_t number);
  StoreResult<void> checkpoint(const CheckpointBatch& batch);

  uint64_t last_commit() const { return last_commit_.load(std::memory_order_relaxed); }
  StoreResult<std::optional<Checkpoint>> load_checkpoint() const;
  // Each calls f until it says false.
  StoreResult<void> for_each_live(const std::function<bool(JobNo, ByteView row)>& f) const;
  using CommitVisitor = std::function<bool(uint64_t number, ByteView entry, ByteView block)>;
  StoreResult<void> for_each_commit(uint64_t from, const CommitVisitor& f) const;
  // Newest first, beginning below `older_than` (none = the newest).
  StoreResult<void> for_each_done(const std::optional<JobId>& older_than,
                                  const std::function<bool(const JobId&, ByteView row)>& f) const;
  StoreResult<void> for_each_dead_letter(const std::function<bool(JobNo, const JobId&)>& f) const;

  StoreResult<std::optional<Bytes>> find_live(JobNo job) const;
  StoreResult<std::optional<Bytes>> find_done(const JobId& id) const;
  StoreResult<std::optional<Bytes>> find_entry(uint64_t number) const;

  // Free bytes on the file system of the directory.
  uint64_t free_bytes() const;
  const std::string& directory() const { return directory_; }

 private:
  enum Family { kDefault, kJournal, kBlocks, kLive, kDone, kDeadLetters, kMeta, kFamilyCount };

  Store() = default;
  StoreResult<void> write(rocksdb::WriteBatch& batch, bool sync);
  StoreResult<std::optional<Bytes>> get(Family family, ByteView key) const;
  StoreResult<void> take_directory();
  StoreResult<void> open_database(const StoreOptions& options);
  StoreResult<void> find_last_commit();

  std::string directory_;
  UniqueFd lock_;
  std::shared_ptr<StoreEventListener> listener_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<uint64_t> last_commit_{0};
  uint64_t blocks_deleted_to_ = 0;
};

}  // namespace pqd
