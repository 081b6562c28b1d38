// The broker's look into the store of its partition, and its state's. A store that cannot be read ends the
// process. One thread.
#pragma once

#include "core/broker.h"
#include "daemon/engine/fail_stop.h"
#include "daemon/store/record_reader.h"

namespace pqd {

class StoredJobs final : public FinishedJobs, public RecordSource {
 public:
  explicit StoredJobs(const Store& store) : store_(store), records_(store) {}

  std::optional<JobRow> find_finished(const JobId& id) override {
    const auto bytes = store_.find_done(id);
    if (!bytes) fail_stop(bytes.error());
    if (!*bytes) return std::nullopt;
    auto row = decode_row(**bytes);
    if (!row)
      fail_stop(
          {Error::kSystemError, "the row of a finished job cannot be read: the store is damaged", true});
    return std::move(*row);
  }
  RecordsRead find_records(JobNo job, const JobId& id) override {
    auto records = records_.find(job, id);
    if (!records) fail_stop(records.error());
    if (!*records) fail_stop({Error::kSystemError, "a live job has no row: the store is damaged", true});
    return std::move(**records);
  }

  std::optional<KeptKey> find_key(const ShortHash& key) override {
    const auto kept = store_.find_key(key);
    if (!kept) fail_stop(kept.error());
    return *kept;
  }

 private:
  const Store& store_;
  RecordReader records_;
};

}  // namespace pqd
