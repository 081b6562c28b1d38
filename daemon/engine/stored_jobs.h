// The broker's look into the store of its partition, and its state's. A store that cannot be read ends the
// process. One thread.
#pragma once

#include "core/broker.h"
#include "daemon/engine/fail_stop.h"
#include "daemon/store/store.h"

namespace pqd {

class StoredJobs final : public FinishedJobs, public RecordSource {
 public:
  explicit StoredJobs(const Store& store) : store_(store) {}

  std::optional<JobRow> find_finished(const JobId& id) override {
    return decoded(store_.find_done(id), "the row of a finished job");
  }
  Bytes find_record(JobNo job, const JobId& id) override {
    auto row = decoded(store_.find_live(job), "the row of a live job");
    // It has ended by now, as memory will hear.
    if (!row) row = find_finished(id);
    if (!row) fail_stop({Error::kSystemError, "a live job has no row: the store is damaged", true});
    return std::move(row->record);
  }

  std::optional<KeptKey> find_key(const ShortHash& key) override {
    const auto kept = store_.find_key(key);
    if (!kept) fail_stop(kept.error());
    return *kept;
  }

 private:
  static std::optional<JobRow> decoded(const StoreResult<std::optional<Bytes>>& bytes, const char* what) {
    if (!bytes) fail_stop(bytes.error());
    if (!*bytes) return std::nullopt;
    auto row = decode_row(**bytes);
    if (!row)
      fail_stop({Error::kSystemError, std::string(what) + " cannot be read: the store is damaged", true});
    return std::move(*row);
  }

  const Store& store_;
};

}  // namespace pqd
