// What recovery and the fold into rows need of a store, and what a checkpoint hands it. Store is one; the
// simulator has another, which can lose what was not synced. Reads by any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/event.h"
#include "core/idempotency.h"
#include "core/job_row.h"
#include "core/metrics_row.h"
#include "daemon/store/store_error.h"

namespace pqd {

// A live job that no checkpoint had before.
struct Birth {
  JobNo job = 0;
  Bytes row;            // whole; or without its record; or none: `core` says all but the record
  uint64_t commit = 0;  // in whose block the record stands; 0 = the row is whole
  BlobRef record{};
  const Bytes* block = nullptr;  // that one; its batch holds it
  JobCore core{};

  // Without the record, but for one that is whole. `scratch`: where it may be made.
  ByteView row_in(JobRow& scratch_row, Bytes& scratch) const;
  ByteView record_bytes() const { return ByteView(*block).subspan(record.offset, record.bytes); }
  Bytes whole_row() const;
};

// Idempotency keys; nothing = freed.
using NotedKeys = std::vector<std::pair<ShortHash, std::optional<KeptKey>>>;

// What a checkpoint changes, all at once. `covered`: every commit up to this one is in it.
struct CheckpointBatch {
  uint64_t covered = 0;
  TimeNs now_ns = 0;  // the clock of its last commit
  Bytes tables;
  std::vector<Birth> births;                         // in the order of their numbers
  std::vector<std::shared_ptr<const Bytes>> blocks;  // that births point into
  std::vector<std::pair<JobNo, Bytes>> live_puts;    // live jobs that have changed since
  std::vector<JobNo> live_deletes;
  std::vector<std::pair<JobId, Bytes>> done_puts;         // in the order of their ids
  std::vector<std::pair<JobNo, JobId>> dead_letter_puts;  // keyed by the number of the life that failed
  std::vector<JobNo> dead_letter_deletes;
  std::vector<JobId> done_deletes;                    // redriven
  NotedKeys keys;                                     // what is said last of one counts
  std::vector<std::pair<MetricsKey, Bytes>> metrics;  // whole rows
};

struct Checkpoint {
  uint64_t covered = 0;
  Bytes tables;
};

class StoreView {
 public:
  using RowVisitor = std::function<bool(JobNo, ByteView row)>;
  using CommitVisitor = std::function<bool(uint64_t number, ByteView entry, ByteView block)>;

  virtual ~StoreView() = default;

  // The latest one; nothing before the first.
  virtual StoreResult<std::optional<Checkpoint>> load_checkpoint() const = 0;
  // Both call f in the order of numbers until it says false.
  virtual StoreResult<void> for_each_live(const RowVisitor& f) const = 0;
  virtual StoreResult<void> for_each_commit(uint64_t from, const CommitVisitor& f) const = 0;

  // The latest commit of which the store itself says that it survives power loss: those before it are all
  // there, or the disk has lost what it had promised to keep.
  virtual StoreResult<uint64_t> known_synced() const = 0;

  // How many live jobs there are, roughly.
  virtual uint64_t live_estimate() const = 0;

  // Nothing when there is none.
  virtual StoreResult<std::optional<Bytes>> find_live(JobNo job) const = 0;
  virtual StoreResult<std::optional<Bytes>> find_done(const JobId& id) const = 0;
  virtual StoreResult<std::optional<Bytes>> find_entry(uint64_t number) const = 0;
  // May be expired: they go some time after their end.
  virtual StoreResult<std::optional<KeptKey>> find_key(const ShortHash& key) const = 0;
  // The same is true of these.
  virtual StoreResult<std::optional<Bytes>> find_metrics(const MetricsKey& key) const = 0;
};

}  // namespace pqd
