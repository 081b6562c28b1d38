// Takes rows away when their time is over, as compaction passes by: no scan, no second index. Readers look at
// the time for themselves, so that it does not matter when that is. Private to daemon/store.
#pragma once

#include <atomic>
#include <memory>

#include "core/job.h"
#include "daemon/store/rocksdb_include.h"

namespace pqd {

// The clock of the latest checkpoint. Writer: the thread that checkpoints; readers: RocksDB's compactions.
// relaxed: an older time only keeps a row for longer.
using CheckpointClock = std::atomic<TimeNs>;

// Idempotency keys behind their end.
std::shared_ptr<rocksdb::CompactionFilterFactory> expired_keys(std::shared_ptr<const CheckpointClock> clock);
// Figures behind their span and limits::kMetricsGraceNs.
std::shared_ptr<rocksdb::CompactionFilterFactory> expired_metrics(
    std::shared_ptr<const CheckpointClock> clock);

}  // namespace pqd
