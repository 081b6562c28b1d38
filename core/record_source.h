// Where the records of jobs are that memory let go of: those of live jobs, and of jobs that have ended since.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "core/event.h"

namespace pqd {

// Records that were read together, and whose they are. A value.
struct RecordsRead {
  struct Of {
    JobNo job = 0;
    BlobRef record;
  };

  Bytes bytes;
  std::vector<Of> jobs;  // in the order of their numbers

  std::optional<ByteView> find(JobNo job) const {
    const auto found = std::ranges::lower_bound(jobs, job, {}, &Of::job);
    if (found == jobs.end() || found->job != job) return std::nullopt;
    return ByteView(bytes).subspan(found->record.offset, found->record.bytes);
  }
  // REQUIRES: numbers come in their order.
  void add(JobNo job, ByteView record) {
    jobs.push_back({job, {static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(record.size())}});
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
};

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // The record of this life of the job, and those that are read with it anyway: of jobs that came together,
  // whether they go on or not. REQUIRES: a checkpoint covers the job's beginning.
  virtual RecordsRead find_records(JobNo job, const JobId& id) = 0;
};

}  // namespace pqd
