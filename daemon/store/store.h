// The store of one partition: journal, blocks, job rows and small tables in the families that it has in the
// RocksDB of all. What is durable when: append() survives the death of any process once it has returned,
// sync() makes everything appended before survive power loss. The key layouts are in daemon/store/README.md.
//
// Thread rule: append, sync and checkpoint by one thread each at a time; reads by any thread. After the first
// failed write everything that writes fails, and the process has to end: see StoreError.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/job.h"
#include "daemon/store/birth_pack.h"
#include "daemon/store/database.h"
#include "daemon/store/row_pack.h"
#include "daemon/store/store_view.h"

namespace rocksdb {
class Iterator;
class Snapshot;
}  // namespace rocksdb

namespace pqd {

struct DoneGroup;
struct DoneKey;
struct DoneRun;

class Store final : public StoreView {
 public:
  // The first partition of a database of its own.
  static StoreResult<std::unique_ptr<Store>> open(const StoreOptions& options);
  // One of those that the database has, once.
  static StoreResult<std::unique_ptr<Store>> open(std::shared_ptr<Database> database, PartitionNo partition);
  ~Store() override = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // A number that no earlier engine on this store had; durable when it returns.
  StoreResult<uint32_t> next_epoch();

  // Once, before the first append: goes on behind this commit. What is there of later ones was never told to
  // anybody (see recover()) and is removed, durably.
  StoreResult<void> go_on_after(uint64_t number);

  // `cuts`: where the block's pieces begin, but for the first; see core/commit.h. REQUIRES: number ==
  // last_commit() + 1; cuts grow and are within the block.
  StoreResult<void> append(uint64_t number, ByteView entry, ByteView block,
                           std::span<const uint32_t> cuts = {});
  // Every commit up to and with `number` survives power loss when it returns.
  StoreResult<void> sync(uint64_t number);
  // Survives power loss only together with all that it stands on: the commits it covers, and the checkpoints
  // before it. Rows of finished jobs may go in before the rest, and stay when that does not come any more.
  StoreResult<void> checkpoint(const CheckpointBatch& batch);

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

  // Both in no order that matters, each once; nothing, or false, for one that cannot be read.
  StoreResult<void> for_each_indexed(const std::function<bool(const std::optional<DoneKey>&)>& f) const;
  StoreResult<void> for_each_key(const std::function<bool(bool readable)>& f) const;

  // In the order of keys from `from` on, until f says false; rows that are over may be among them.
  StoreResult<void> for_each_metrics(const MetricsKey& from,
                                     const std::function<bool(const MetricsKey&, ByteView row)>& f) const;

  // Whether all finished jobs are in the index: not in a store that an earlier pqd wrote last.
  StoreResult<bool> has_index() const;
  // Over the keys of done_index.h and over its packs, as they stand now; for DoneCursor.
  std::unique_ptr<rocksdb::Iterator> done_index() const;
  std::unique_ptr<rocksdb::Iterator> index_packs() const;

  // The store as it is at one time, for reads that belong together. The store outlives it.
  class Moment {
   public:
    explicit Moment(const Store& store);
    ~Moment();
    Moment(const Moment&) = delete;
    Moment& operator=(const Moment&) = delete;

   private:
    friend class Store;
    const Store& store_;
    const rocksdb::Snapshot* const snapshot_;
  };
  // The records of all jobs of the pack that has a row of this one, whether or not they count, and of those
  // that follow it, of `packs_max` packs in all at most and no more after 256 KiB; nothing: no pack has one.
  StoreResult<std::optional<RecordsRead>> find_packed(JobNo job, size_t packs_max,
                                                      const Moment& moment) const;
  // The row of a job that is in no pack.
  StoreResult<std::optional<Bytes>> find_single(JobNo job, const Moment& moment) const;
  // REQUIRES: no checkpoint is being written, or this is its thread; see RecordReader.
  StoreResult<std::optional<Bytes>> find_live(JobNo job) const override;
  StoreResult<std::optional<Bytes>> find_done(const JobId& id) const override;
  StoreResult<std::optional<Bytes>> find_entry(uint64_t number) const override;
  StoreResult<std::optional<KeptKey>> find_key(const ShortHash& key) const override;
  StoreResult<std::optional<Bytes>> find_metrics(const MetricsKey& key) const override;

  Database& database() const { return *database_; }

 private:
  enum Family {  // kFamilyKinds
    kJournal,
    kBlocks,
    kLive,
    kDone,
    kDeadLetters,
    kMeta,
    kDoneIndex,
    kKeys,
    kMetrics,
    kPacks,
    kPackedRows,
    kDonePacks,
    kIndexPacks,
    kFamilyCount
  };

  Store(std::shared_ptr<Database> database, PartitionNo partition);
  StoreResult<std::optional<Bytes>> get(Family family, ByteView key, const Moment* moment = nullptr) const;
  // `pieces`: over the blocks, and near this one's as a rule.
  StoreResult<Bytes> read_block(uint64_t commit, rocksdb::Iterator& pieces) const;
  // Over nothing where there is no such family. Whoever reads ahead goes through all of it, and once: what it
  // reads is not kept in the cache.
  std::unique_ptr<rocksdb::Iterator> iterate(Family family, size_t readahead_bytes = 0) const;
  StoreResult<void> find_last_commit();
  // Of a store that was written before there was an index.
  StoreResult<void> index_done();
  // store_live.cpp; the private ones with packs_mutex_ held but for load_packs.
  struct ReadPack {
    JobNo first = 0;
    LaidRows laid;
  };
  StoreResult<void> load_packs();
  StoreResult<void> put_live(const CheckpointBatch& batch, rocksdb::WriteBatch& out);
  void put_births(std::span<const Birth> births, rocksdb::WriteBatch& out);
  // How many of the first stand in one piece of a block and are worth to be kept there; 0 = none.
  size_t births_in_piece(std::span<const Birth> births, PackHead& head) const;
  // The rows by themselves.
  void put_whole_births(std::span<const std::pair<JobNo, Bytes>> births, rocksdb::WriteBatch& out);
  // Of the blocks of commits that it covers, all that no pack keeps.
  void drop_blocks(uint64_t covered, rocksdb::WriteBatch& out);
  // A pack of which some count no more since the checkpoint before.
  StoreResult<void> put_struck(JobNo pack, rocksdb::WriteBatch& out);
  struct PackParts {
    Bytes rows, piece;
  };
  StoreResult<PackParts> parts_of(JobNo pack, const PackHead& head, const Moment* moment = nullptr) const;
  StoreResult<const ReadPack*> read_pack(JobNo pack) const;
  // store_done.cpp
  void put_done(const JobId& id, ByteView row, rocksdb::WriteBatch& out) const;
  size_t put_some_done(std::span<const std::pair<JobId, Bytes>> rows, const DoneRun& checkpoint,
                       rocksdb::WriteBatch& out) const;
  void put_index(const DoneGroup& group, std::span<const JobId> ids, const DoneRun& run,
                 rocksdb::WriteBatch& out) const;
  // In pieces, each a write of its own.
  StoreResult<void> put_done_ahead(const CheckpointBatch& batch);
  StoreResult<void> put_done_within(const CheckpointBatch& batch, rocksdb::WriteBatch& out) const;
  StoreResult<void> sync_before_checkpoint(uint64_t covered);

  const std::shared_ptr<Database> database_;
  const PartitionNo partition_;
  const std::span<rocksdb::ColumnFamilyHandle* const> families_;  // in the order of Family
  std::atomic<uint64_t> last_commit_{0};
  // What a power cut leaves: written by whoever syncs, at the end. release, and acquire where they are read:
  // the sync has returned.
  std::atomic<uint64_t> synced_commits_{0};
  std::atomic<uint64_t> synced_checkpoints_{0};
  uint64_t synced_told_ = 0;  // of synced_commits_, by the latest append; belongs to the thread that appends
  // Checkpoints, and rows that went in before one. release by the thread that writes them, acquire by who
  // begins a sync: it takes those along.
  std::atomic<uint64_t> checkpoints_{0};
  uint32_t epoch_ = 0;              // once it was given out
  mutable std::mutex blocks_mutex_;  // guards the following
  uint64_t blocks_deleted_to_ = 0;
  std::map<uint64_t, std::vector<uint32_t>> cuts_;  // of blocks that are still whole, where there are any
  mutable std::mutex packs_mutex_;                  // guards the following
  RowPacks packs_;
  mutable std::deque<ReadPack> packs_read_;  // lately: jobs that came together often change together
  std::set<BlockPiece> kept_;  // by packs that the checkpoint in hand makes; of the thread that writes it
};

}  // namespace pqd
