// The fold of the journal into rows: takes commits in order and gathers what the next checkpoint changes. A
// job born and finished between two checkpoints becomes one row; one that was born before is read from the
// store, unless its row is remembered. Belongs to one thread.
#pragma once

#include <memory>
#include <unordered_map>

#include "core/fold.h"
#include "core/metrics_fold.h"
#include "core/tables.h"
#include "daemon/store/store_view.h"

namespace pqd {

class RowFold {
 public:
  static constexpr size_t kRememberedBytes = 16u << 20;
  static constexpr size_t kHeldBytes = 64u << 20;

  // `tables`: those of the latest checkpoint, which covers commits up to `covered`. Rows of live jobs are
  // remembered up to so many bytes, and blocks of commits are held.
  RowFold(const StoreView& store, Tables tables, uint64_t covered, size_t remembered_bytes = kRememberedBytes,
          size_t held_bytes = kHeldBytes)
      : store_(store),
        tables_(std::move(tables)),
        folded_(covered),
        remembered_bytes_max_(remembered_bytes),
        held_bytes_max_(held_bytes) {}

  // REQUIRES: number follows the last one. An error means that the journal or the rows are damaged.
  StoreResult<void> fold(uint64_t number, ByteView entry, std::shared_ptr<const Bytes> block);
  StoreResult<void> fold(uint64_t number, ByteView entry, ByteView block) {
    return fold(number, entry, std::make_shared<const Bytes>(block.begin(), block.end()));
  }

  uint64_t folded() const { return folded_; }
  // Bytes gathered so far, roughly.
  size_t pending_bytes() const { return pending_bytes_ + metrics_.changed_bytes(); }
  bool pending() const { return changed_; }
  const Tables& tables() const { return tables_; }

  // What has been gathered; gathering starts anew.
  CheckpointBatch take();

 private:
  friend class RowFolder;

  struct Entry {
    JobRow row;
    // Of a job as it was born: where its record stands, and `row` has none. 0 = the row is whole.
    uint64_t commit = 0;
    BlobRef record;
    const Bytes* block = nullptr;
    bool stored = false;  // the store has it among the live jobs
    bool gone = false;    // it never became a job

    ByteView record_bytes() const {
      return block != nullptr ? ByteView(*block).subspan(record.offset, record.bytes) : ByteView(row.record);
    }
    // Makes the row whole, and lets go of the block.
    void own_record();
    size_t bytes() const { return sizeof(Entry) + record_bytes().size(); }
  };
  using Entries = std::unordered_map<JobNo, Entry>;

  // The row of a live job; nullptr and `error_` set when there is none.
  Entry* find(JobNo job);
  // Its flat facts, for who changes nothing else. In the same way.
  JobCore* find_core(JobNo job);
  // Nothing = it is none of births_.
  Birth* find_birth(JobNo job);
  // Of what was one of births_: a row of its own; the row of its end.
  Entry& make_entry(Birth& birth);
  void complete(Birth& birth, ByteView result);
  void finish(Entry& entry, bool keep_payload);
  // Blocks of commits whose last jobs are rows by now: each was held by a few that go on living.
  void let_blocks_go();
  // These are live, and as the checkpoint that is taken has them.
  void remember(std::vector<Entries::node_type> living);

  const StoreView& store_;
  Tables tables_;
  uint64_t folded_;
  size_t pending_bytes_ = 0;
  bool changed_ = false;
  // Jobs born since the last checkpoint that no event has met but those about their flat facts, in the order
  // of their numbers. One whose `commit` is 0 is none any more: it is among entries_, or has its finished
  // row.
  std::vector<Birth> births_;
  JobRow completed_;  // where the rows of those are made that complete before any other event meets them
  size_t births_before_ = 0;                          // so many there were at the last checkpoint
  std::vector<std::shared_ptr<const Bytes>> blocks_;  // that births and entries point into
  Entries entries_;
  // Of earlier checkpoints, as they stand in the store; whole.
  Entries remembered_;
  size_t remembered_bytes_ = 0;
  size_t remembered_bytes_max_;
  size_t held_bytes_ = 0;  // of blocks that entries point into, at most
  size_t held_bytes_max_;
  NotedKeys keys_;  // since the last checkpoint, in that order
  MetricsFold metrics_;
  CheckpointBatch batch_;  // what is not kept in entries_: dead letters and rows taken away by redrives
  std::optional<StoreError> error_;
};

}  // namespace pqd
