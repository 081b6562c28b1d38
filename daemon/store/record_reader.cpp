#include "daemon/store/record_reader.h"

#include <algorithm>

#include "core/job_row.h"
#include "shm/crash_point.h"

namespace pqd {

StoreResult<std::optional<RecordsRead>> find_records(const Store& store, JobNo job, const JobId& id,
                                                     size_t packs_max) {
  const Store::Moment now(store);
  // First: `live` knows at once that it has not got one.
  auto bytes = store.find_single(job, now);
  if (bytes && !*bytes) {
    auto packed = store.find_packed(job, packs_max, now);
    if (!packed || *packed) return packed;
  }
  // It had ended by that moment: the rows of those go in before, or together with, the end of the others.
  if (bytes && !*bytes) bytes = store.find_done(id);
  if (!bytes) return std::unexpected(bytes.error());
  if (!*bytes) return std::nullopt;
  const auto row = decode_row(**bytes);
  if (!row)
    return std::unexpected(
        StoreError{Error::kSystemError, "the row of job " + std::to_string(job) + " cannot be read", true});
  RecordsRead read;
  read.add(job, row->record);
  return read;
}

StoreResult<std::optional<RecordsRead>> RecordReader::find(JobNo job, const JobId& id) {
  const bool follows = job > last_ && job - last_ <= kGapMax;
  packs_ = follows ? std::min(2 * packs_, kPacksMax) : 1;
  auto read = find_records(store_, job, id, packs_);
  PQD_CRASH_POINT("records-read-back");
  if (read && *read) last_ = (*read)->jobs.back().job;
  return read;
}

}  // namespace pqd
