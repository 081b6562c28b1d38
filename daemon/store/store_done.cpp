// Rows of finished jobs and their index: in packs where the job has ended for good, one by one else.
#include <algorithm>

#include "core/job_row.h"
#include "daemon/store/done_cursor.h"
#include "daemon/store/done_walk.h"
#include "daemon/store/keys.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/store.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

using DonePut = std::pair<JobId, Bytes>;

constexpr JobId kNewest{UINT64_MAX, UINT64_MAX};
// Commits wait behind what goes in at once.
constexpr size_t kPieceBytes = 1u << 20;
// Larger ones cost by their bytes anyway, and a pack is read whole.
constexpr size_t kPackedRowMax = 4 << 10;
constexpr size_t kPackBytesMax = 32 << 10;
// Fewer do not pay for a value of their own.
constexpr size_t kPackRowsMin = 8;
constexpr size_t kPackIdsMin = 4;

struct Packed {
  JobId id;
  ByteView row;
  DoneGroup group;
};

// Nothing for a row that may change, as those of dead letters do, or that cannot be read: whoever reads it
// finds that out.
std::optional<DoneGroup> group_if_ended_for_good(ByteView row) {
  const auto core = row.size() <= kPackedRowMax ? decode_row_core(row) : std::unexpected(Error::kNotFound);
  if (!core || (core->state != JobState::kCompleted && core->state != JobState::kCancelled))
    return std::nullopt;
  return DoneGroup::of(*core);
}

}  // namespace

void Store::put_done(const JobId& id, ByteView row, rocksdb::WriteBatch& out) const {
  out.Put(families_[kDone], slice(keys::of(id)), slice(row));
  if (const auto core = decode_row_core(row))
    out.Put(families_[kDoneIndex], slice(write_done_key({DoneGroup::of(*core), id})), rocksdb::Slice());
}

// The next ones: a pack and what lies between them, or one by itself. Returns how many.
size_t Store::put_some_done(std::span<const DonePut> rows, const DoneRun& checkpoint,
                            rocksdb::WriteBatch& out) const {
  std::vector<Packed> packed;
  size_t bytes = 0;
  size_t count = 0;
  for (; count < rows.size() && packed.size() < DonePack::kJobsMax && bytes < kPackBytesMax; ++count) {
    const auto& [id, row] = rows[count];
    if (!packed.empty() && done_window(id) != done_window(packed.front().id)) break;
    if (const auto group = group_if_ended_for_good(row)) {
      packed.push_back({id, row, *group});
      bytes += row.size();
    } else {
      put_done(id, row, out);
    }
  }
  if (packed.size() < kPackRowsMin) {
    for (const Packed& job : packed) put_done(job.id, job.row, out);
    return count;
  }
  DoneRun run = checkpoint;
  run.window = done_window(packed.front().id);
  std::vector<std::pair<JobId, ByteView>> jobs;
  for (const Packed& job : packed) jobs.emplace_back(job.id, job.row);
  out.Put(families_[kDonePacks], write_pack_key({}, {run, jobs.front().first}), slice(pack_done(jobs)));
  // By groups, and by id in each.
  std::ranges::stable_sort(packed, {}, &Packed::group);
  for (auto at = packed.begin(); at != packed.end();) {
    const auto end =
        std::find_if(at, packed.end(), [&](const Packed& job) { return job.group != at->group; });
    std::vector<JobId> ids;
    for (; at != end; ++at) ids.push_back(at->id);
    put_index(std::prev(end)->group, ids, run, out);
  }
  return count;
}

void Store::put_index(const DoneGroup& group, std::span<const JobId> ids, const DoneRun& run,
                      rocksdb::WriteBatch& out) const {
  if (ids.size() >= kPackIdsMin) {
    out.Put(families_[kIndexPacks], write_pack_key(write_done_group(group), {run, ids.front()}),
            slice(pack_done_ids(ids)));
    return;
  }
  for (const JobId& id : ids)
    out.Put(families_[kDoneIndex], slice(write_done_key({group, id})), rocksdb::Slice());
}

// A row of a finished job says what the commits say that are synced by now, and is written once more when a
// recovery folds them again. So nobody minds one that is there before its checkpoint; but who was redriven
// has another row for the same id taken away.
StoreResult<void> Store::put_done_ahead(const CheckpointBatch& batch) {
  const DoneRun checkpoint{0, batch.covered, epoch_};
  rocksdb::WriteBatch piece;
  for (std::span<const DonePut> rows = batch.done_puts; !rows.empty();) {
    rows = rows.subspan(put_some_done(rows, checkpoint, piece));
    if (piece.GetDataSize() < kPieceBytes && !rows.empty()) continue;
    if (auto ok = database_->write(piece, false); !ok) return ok;
    checkpoints_.fetch_add(1, std::memory_order_release);
    PQD_CRASH_POINT("checkpoint-piece-written");
    piece.Clear();
  }
  return {};
}

StoreResult<void> Store::put_done_within(const CheckpointBatch& batch, rocksdb::WriteBatch& out) const {
  for (const auto& id : batch.done_deletes) {
    // Few: what was redriven. Its row says under which key it stands, and a dead letter's stands by itself.
    const auto row = find_done(id);
    if (!row) return std::unexpected(row.error());
    const auto core = *row ? decode_row_core(**row) : std::unexpected(Error::kNotFound);
    if (core) out.Delete(families_[kDoneIndex], slice(write_done_key({DoneGroup::of(*core), id})));
    out.Delete(families_[kDone], slice(keys::of(id)));
  }
  const DoneRun checkpoint{0, batch.covered, epoch_};
  for (std::span<const DonePut> rows = batch.done_puts; !rows.empty();)
    rows = rows.subspan(put_some_done(rows, checkpoint, out));
  return {};
}

StoreResult<std::optional<Bytes>> Store::find_done(const JobId& id) const {
  auto single = get(kDone, keys::of(id));
  if (!single || *single) return single;
  return PackCursor::find(*iterate(kDonePacks), id);
}

StoreResult<void> Store::for_each_done(const std::optional<JobId>& older_than,
                                       const std::function<bool(const JobId&, ByteView)>& f) const {
  const auto singles = iterate(kDone);
  const auto packs = iterate(kDonePacks);
  DoneWalk walk(*singles, *packs, {}, PackCursor::Of::kRows, older_than.value_or(kNewest));
  for (; walk.valid(); walk.next())
    if (!f(walk.id(), walk.row())) return {};
  return walk.status();
}

StoreResult<void> Store::for_each_indexed(const std::function<bool(const std::optional<DoneKey>&)>& f) const {
  const auto singles = done_index();
  const auto packs = index_packs();
  for (singles->SeekToFirst(); singles->Valid(); singles->Next())
    if (!read_done_key(view(singles->key())) && !f(std::nullopt)) return {};
  if (!singles->status().ok()) return failure("cannot read the index of finished jobs", singles->status());
  for (std::optional<DoneGroup> group = DoneGroup{}; group;) {
    auto next = next_group(*singles, *packs, *group);
    if (!next) return std::unexpected(next.error());
    group = std::move(*next);
    if (!group) break;
    const DoneGroupBytes prefix = write_done_group(*group);
    DoneWalk walk(*singles, *packs, prefix, PackCursor::Of::kIds, kNewest);
    for (; walk.valid(); walk.next())
      if (!f(DoneKey{*group, walk.id()})) return {};
    if (auto ok = walk.status(); !ok) return ok;
    group = group->next();
  }
  return {};
}

std::unique_ptr<rocksdb::Iterator> Store::done_index() const { return iterate(kDoneIndex); }
std::unique_ptr<rocksdb::Iterator> Store::index_packs() const { return iterate(kIndexPacks); }

}  // namespace pqd
