// A store in memory that can lose what a real one can lose. Three depths: handed over (gone with the
// process), written (gone with the power), synced (never gone). A checkpoint stands in the log behind the
// commits that it covers, which are synced before it is written. A power cut leaves a prefix of the log, or
// more than that with a gap in it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <variant>

#include "core/journal_entry.h"
#include "daemon/store/store_view.h"
#include "daemon/store/witness.h"
#include "tests/sim/random.h"

namespace pqd::sim {

using SharedBytes = std::shared_ptr<const Bytes>;

class FakeStore final : public StoreView {
 public:
  // As Store's. A synced write takes everything before it along.
  uint32_t next_epoch();
  void append(uint64_t number, SharedBytes entry, SharedBytes block);
  void sync(uint64_t number);
  void go_on_after(uint64_t number);
  void checkpoint(const CheckpointBatch& batch);
  // Rows of finished jobs, the first so many: all that there is of a checkpoint when its process dies then.
  void rows_ahead(const CheckpointBatch& batch, size_t count);
  // The witness writes number and hash of a synced commit beside the store.
  void testify(uint64_t number);

  uint64_t written() const { return written_; }
  uint64_t synced() const { return synced_; }
  const std::optional<Testimony>& testimony() const { return testimony_; }

  // Of what was written and not synced only the first some remain, and of those some in a row may be gone as
  // well.
  void cut_power(Random& random);

  StoreResult<std::optional<Checkpoint>> load_checkpoint() const override;
  StoreResult<void> for_each_live(const RowVisitor& f) const override;
  StoreResult<uint64_t> known_synced() const override { return disk_.known_synced; }
  uint64_t live_estimate() const override { return disk_.live.size(); }
  StoreResult<void> for_each_commit(uint64_t from, const CommitVisitor& f) const override;
  StoreResult<std::optional<Bytes>> find_live(JobNo job) const override;
  StoreResult<std::optional<Bytes>> find_done(const JobId& id) const override;
  StoreResult<std::optional<Bytes>> find_entry(uint64_t number) const override;
  StoreResult<std::optional<KeptKey>> find_key(const ShortHash& key) const override;
  StoreResult<std::optional<Bytes>> find_metrics(const MetricsKey& key) const override;
  // Entry and block of every commit, those whose blocks the checkpoints have dropped among them.
  void for_each_ever(const std::function<void(uint64_t, ByteView entry, ByteView block)>& f) const;
  size_t dead_letters() const { return disk_.dead_letters.size(); }
  const std::map<MetricsKey, SharedBytes>& metrics() const { return disk_.metrics; }
  size_t done_rows() const { return disk_.done.size(); }

 private:
  struct Appended {
    uint64_t number = 0;
    uint64_t synced = 0;  // the marker of what was synced by then
    SharedBytes entry;
    SharedBytes block;
  };
  struct CheckpointWrite {
    std::shared_ptr<const CheckpointBatch> batch;
  };
  struct RowsAhead {
    std::vector<std::pair<JobId, Bytes>> rows;
  };
  using Write = std::variant<Appended, CheckpointWrite, RowsAhead>;
  struct Disk {
    std::map<uint64_t, SharedBytes> journal;
    std::map<uint64_t, SharedBytes> blocks;
    std::map<uint64_t, SharedBytes>
        all_blocks;  // for the check at the end, which reads history from its start
    std::map<JobNo, SharedBytes> live;
    std::map<JobId, SharedBytes> done;
    std::map<JobNo, JobId> dead_letters;
    std::map<ShortHash, KeptKey> keys;
    std::map<MetricsKey, SharedBytes> metrics;
    std::shared_ptr<const CheckpointBatch> checkpoint;
    uint64_t known_synced = 0;
  };

  static void apply(const Write& write, Disk& disk);
  void write(Write write);
  void sync_all();
  void sync_before_checkpoint(uint64_t covered);

  Disk disk_;                   // as the processes see it
  Disk platter_;                // as a power cut leaves it
  std::deque<Write> unsynced_;  // what lies between the two
  uint64_t written_ = 0;
  uint64_t synced_ = 0;
  uint32_t epoch_ = 0;
  std::optional<Testimony> testimony_;
};

}  // namespace pqd::sim
