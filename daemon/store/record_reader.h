// The records of jobs whose beginnings a checkpoint has, for who does not write checkpoints: each look sees
// the store as one moment has it and waits for no lock of ours.
#pragma once

#include "core/record_source.h"
#include "daemon/store/store.h"

namespace pqd {

// Of this life of the job, whether it goes on or has ended since, and what stands in one pack with it and in
// those that follow, of `packs_max` packs in all at most; without its payload where the store keeps none of
// those that have ended. Nothing: the store does not know the job. Any thread.
StoreResult<std::optional<RecordsRead>> find_records(const Store& store, JobNo job, const JobId& id,
                                                     size_t packs_max = 1);

// Reads further ahead the longer it is asked for jobs that follow each other, as a queue's do. One thread.
class RecordReader {
 public:
  // The store outlives it.
  explicit RecordReader(const Store& store) : store_(store) {}

  // As above.
  StoreResult<std::optional<RecordsRead>> find(JobNo job, const JobId& id);

 private:
  static constexpr size_t kPacksMax = 8;
  // Jobs that were not packed, or have ended, may stand between what was read and what follows.
  static constexpr JobNo kGapMax = 64;

  const Store& store_;
  size_t packs_ = 1;
  JobNo last_ = 0;  // of what was read
};

}  // namespace pqd
