// The records of jobs whose beginnings a checkpoint has, for who does not write checkpoints: each look sees
// the store as one moment has it, waits for no lock, and keeps the pack that it read, because jobs that came
// together are wanted together. One thread.
#pragma once

#include <deque>
#include <optional>

#include "daemon/store/store.h"

namespace pqd {

class RecordReader {
 public:
  // The store outlives it.
  explicit RecordReader(const Store& store) : store_(store) {}

  // Of this life of the job, whether it goes on or has ended since; without its payload where the store keeps
  // none of those that have ended. Nothing: the store does not know the job.
  StoreResult<std::optional<Bytes>> find(JobNo job, const JobId& id);

 private:
  static constexpr size_t kPacksMax = 8;

  StoreResult<std::optional<Bytes>> find_row(JobNo job, const JobId& id);

  const Store& store_;
  std::deque<LaidPack> packs_;  // read lately, the latest last; a job's record never changes
};

}  // namespace pqd
