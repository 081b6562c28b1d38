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
#include "daemon/store/store_view.h"
#include "shm/unique_fd.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Iterator;
class WriteBatch;
}  // namespace rocksdb

namespace pqd {

class StoreEventListener;
struct DoneKey;

struct StoreOptions {
  std::string directory;        // made when it is not there
  bool read_only = false;       // a look at how it stands now: no lock, no file made, also beside its owner
  rocksdb::Env* env = nullptr;  // for fault injection; not owned
  uint32_t buffer_divisor = 1;  // write buffers so much smaller: little data goes all ways, in tests
};

class Store final : public StoreView {
 public:
  static StoreResult<std::unique_ptr<Store>> open(const StoreOptions& options);
  ~Store() override;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // A number that no earlier engine on this store had; durable when it returns.
  StoreResult<uint32_t> next_epoch();

  // Once, before the first append: goes on behind this commit. What is there of later ones was never told to
  // anybody (see recover()) and is removed, durably.
  StoreResult<void> go_on_after(uint64_t number);

  // REQUIRES: number == last_commit() + 1.
  StoreResult<void> append(uint64_t number, ByteView entry, ByteView block);
  // Every commit up to and with `number` survives power loss when it returns.
  StoreResult<void> sync(uint64_t number);
  // Survives power loss only together with all that it stands on: the commits it covers, and the checkpoints
  // before it. Rows of finished jobs may go in before the rest, and stay when that does not come any more.
  StoreResult<void> checkpoint(const CheckpointBatch& batch);

  // A copy of all that is there, in the directory kCopyName of this one: tables as links to the same files,
  // the log copied. An earlier copy goes. Returns its path; an error here is no end of the store. Any thread,
  // one at a time.
  StoreResult<std::string> copy_beside() const;
  static StoreResult<void> remove_copy(const std::string& directory);
  static constexpr const char* kCopyName = "backup";

  uint64_t last_commit() const { return last_commit_.load(std::memory_order_relaxed); }
  StoreResult<std::optional<Checkpoint>> load_checkpoint() const override;
  StoreResult<void> for_each_live(const RowVisitor& f) const override;
  StoreResult<void> for_each_commit(uint64_t from, const CommitVisitor& f) const override;
  StoreResult<uint64_t> known_synced() const override;
  uint64_t live_estimate() const override;
  // Both call f until it says false, newest first, beginning below `older_than` (none = the newest).
  StoreResult<void> for_each_done(const std::optional<JobId>& older_than,
                                  const std::function<bool(const JobId&, ByteView row)>& f) const;
  StoreResult<void> for_each_dead_letter(const std::function<bool(JobNo, const JobId&)>& f) const;
  // Oldest life first, beginning above `newer_than`.
  StoreResult<void> for_each_dead_letter_after(JobNo newer_than,
                                               const std::function<bool(JobNo, const JobId&)>& f) const;

  // Both in no order that matters; nothing, or false, for one that cannot be read.
  StoreResult<void> for_each_indexed(const std::function<bool(const std::optional<DoneKey>&)>& f) const;
  StoreResult<void> for_each_key(const std::function<bool(bool readable)>& f) const;

  // In the order of keys from `from` on, until f says false; rows that are over may be among them.
  StoreResult<void> for_each_metrics(const MetricsKey& from,
                                     const std::function<bool(const MetricsKey&, ByteView row)>& f) const;

  // Whether all finished jobs are in the index: not in a store that an earlier pqd wrote last.
  StoreResult<bool> has_index() const;
  // Over the keys of done_index.h, as they stand now; for DoneCursor.
  std::unique_ptr<rocksdb::Iterator> done_index() const;

  StoreResult<std::optional<Bytes>> find_live(JobNo job) const override;
  StoreResult<std::optional<Bytes>> find_done(const JobId& id) const override;
  StoreResult<std::optional<Bytes>> find_entry(uint64_t number) const override;
  StoreResult<std::optional<KeptKey>> find_key(const ShortHash& key) const override;
  StoreResult<std::optional<Bytes>> find_metrics(const MetricsKey& key) const override;

  // Free bytes on the file system of the directory.
  uint64_t free_bytes() const;
  const std::string& directory() const { return directory_; }

 private:
  enum Family {
    kDefault,
    kJournal,
    kBlocks,
    kLive,
    kDone,
    kDeadLetters,
    kMeta,
    kDoneIndex,
    kKeys,
    kMetrics,
    kFamilyCount
  };

  Store();
  StoreResult<void> write(rocksdb::WriteBatch& batch, bool sync);
  StoreResult<std::optional<Bytes>> get(Family family, ByteView key) const;
  // Over nothing where there is no such family. Whoever reads ahead goes through all of it, and once: what it
  // reads is not kept in the cache.
  std::unique_ptr<rocksdb::Iterator> iterate(Family family, size_t readahead_bytes = 0) const;
  StoreResult<void> take_directory();
  StoreResult<void> open_database(const StoreOptions& options);
  rocksdb::Env* ordered_env(const StoreOptions& options);
  StoreResult<void> find_last_commit();
  // Of a store that was written before there was an index.
  StoreResult<void> index_done();
  StoreResult<void> delete_done(const CheckpointBatch& batch, rocksdb::WriteBatch& out) const;
  void put_done(const JobId& id, ByteView row, rocksdb::WriteBatch& out) const;
  StoreResult<void> put_done_ahead(const CheckpointBatch& batch);
  StoreResult<void> sync_before_checkpoint(uint64_t covered);
  // A synced write syncs the log up to it, and with that every write that had returned before.
  StoreResult<void> sync_log(std::string_view meta_key, uint64_t value, uint64_t commits);

  std::string directory_;
  UniqueFd lock_;
  std::shared_ptr<StoreEventListener> listener_;
  std::shared_ptr<std::atomic<TimeNs>> clock_;  // of the latest checkpoint, for the sweep of keys
  std::unique_ptr<rocksdb::Env> env_;           // with OrderedLogs; outlives the database
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<uint64_t> last_commit_{0};
  // What a power cut leaves: written by whoever syncs, at the end. release, and acquire where they are read:
  // the sync has returned.
  std::atomic<uint64_t> synced_commits_{0};
  std::atomic<uint64_t> synced_checkpoints_{0};
  // Checkpoints, and rows that went in before one. release by the thread that writes them, acquire by who
  // begins a sync: it takes those along.
  std::atomic<uint64_t> checkpoints_{0};
  uint64_t blocks_deleted_to_ = 0;
};

}  // namespace pqd
