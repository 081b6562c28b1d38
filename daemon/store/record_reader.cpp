#include "daemon/store/record_reader.h"

#include "core/job_row.h"
#include "daemon/store/keys.h"
#include "daemon/store/rocksdb_bytes.h"

namespace pqd {
namespace {

std::unexpected<StoreError> unreadable(JobNo job) {
  return std::unexpected(
      StoreError{Error::kSystemError, "the row of job " + std::to_string(job) + " cannot be read", true});
}

}  // namespace

StoreResult<std::optional<Bytes>> RecordReader::find(JobNo job, const JobId& id) {
  const auto record_of = [job](ByteView bytes) -> StoreResult<std::optional<Bytes>> {
    auto row = decode_row(bytes);
    if (!row) return unreadable(job);
    return std::move(row->record);
  };
  for (const LaidPack& pack : packs_)
    if (const auto at = pack.place_of(job)) return record_of(pack.laid.rows[*at]);
  const auto row = find_row(job, id);
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return record_of(**row);
}

StoreResult<std::optional<Bytes>> RecordReader::find_row(JobNo job, const JobId& id) {
  const Store::Moment now(store_);
  auto in_pack = store_.pack_with(job, now);
  if (!in_pack) return std::unexpected(in_pack.error());
  if (*in_pack) {
    if (packs_.size() == kPacksMax) packs_.pop_front();
    const LaidPack& pack = packs_.emplace_back(std::move(**in_pack));
    const ByteView row = pack.laid.rows[*pack.place_of(job)];
    return Bytes(row.begin(), row.end());
  }
  auto live = store_.find_single(job, now);
  if (!live || *live) return live;
  // It had ended by that moment: the rows of those go in before, or together with, the end of the others.
  return store_.find_done(id);
}

}  // namespace pqd
