// Rows of live jobs: packed as they were born, one by one once they have changed.
#include <algorithm>
#include <limits>
#include <set>

#include "daemon/store/keys.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/store.h"

namespace pqd {
namespace {

constexpr size_t kScanBytes = 2 << 20;
// Larger ones cost by their bytes anyway, and a pack is read whole.
constexpr size_t kPackedRowMax = 4 << 10;
// A job that changes alone costs the reading of its pack.
constexpr size_t kPackBytesMax = 32 << 10;
// Records beyond this are read when they are wanted.
constexpr size_t kReadAheadBytes = 8 * kPackBytesMax;
// Fewer do not pay for a head.
constexpr size_t kPackRowsMin = 8;
// A pack of which no more than this part counts is given up: it would hold the bytes of all.
constexpr size_t kCountingPartMin = 4;
constexpr size_t kPacksReadMax = 4;

std::unexpected<StoreError> damaged(JobNo pack, const char* what) {
  return std::unexpected(StoreError{
      Error::kSystemError, "the rows of the jobs from " + std::to_string(pack) + " on " + what, true});
}

}  // namespace

StoreResult<void> Store::load_packs() {
  const auto it = iterate(kPacks);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const auto first = keys::number(view(it->key()));
    auto head = PackHead::decode(view(it->value()));
    if (!first || !head || !packs_.goes_behind(*first)) return damaged(first.value_or(0), "have a bad head");
    packs_.add(*first, std::move(*head));
  }
  if (!it->status().ok()) return failure("cannot read the heads of packed rows", it->status());
  return {};
}

void Store::put_births(std::span<const Birth> births, rocksdb::WriteBatch& out) {
  std::vector<std::pair<JobNo, Bytes>> whole;  // that stand before the pack that is made next
  while (!births.empty()) {
    const JobNo first = births.front().job;
    PackHead head;
    const size_t count = births_in_piece(births, head);
    if (head.piece && packs_.goes_behind(first) && kept_.insert(*head.piece).second) {
      put_whole_births(whole, out);
      whole.clear();
      out.Put(families_[kPacks], slice(keys::of(first)), slice(head.encode()));
      out.Put(families_[kPackedRows], slice(keys::of(first)),
              slice(pack_births(births.first(count), *head.piece)));
      packs_.add(first, std::move(head));
    } else {
      for (const Birth& birth : births.first(count)) whole.emplace_back(birth.job, birth.whole_row());
    }
    births = births.subspan(count);
  }
  put_whole_births(whole, out);
}

size_t Store::births_in_piece(std::span<const Birth> births, PackHead& head) const {
  const Birth& first = births.front();
  if (first.commit == 0) return 1;
  BlockPiece piece{first.commit, 0};
  uint32_t end = std::numeric_limits<uint32_t>::max();
  {
    const std::lock_guard lock(blocks_mutex_);
    if (const auto cuts = cuts_.find(first.commit); cuts != cuts_.end()) {
      const auto next = std::ranges::upper_bound(cuts->second, first.record.offset);
      if (next != cuts->second.begin()) piece.offset = *std::prev(next);
      if (next != cuts->second.end()) end = *next;
    }
  }
  size_t count = 0;
  size_t bytes = 0;
  uint64_t taken_to = piece.offset;
  for (const Birth& birth : births) {
    const BlobRef& record = birth.record;
    if (birth.commit != piece.commit || record.offset < taken_to || record.offset >= end) break;
    if (!head.add(birth.job - first.job)) break;
    taken_to = uint64_t{record.offset} + record.bytes;
    bytes += record.bytes;
    ++count;
  }
  if (count >= kPackRowsMin || bytes >= kPackedRowMax) head.piece = piece;
  return count;
}

void Store::put_whole_births(std::span<const std::pair<JobNo, Bytes>> births, rocksdb::WriteBatch& out) {
  while (!births.empty()) {
    PackHead head;
    size_t count = 0;
    size_t bytes = 0;
    while (count < births.size() && births[count].second.size() <= kPackedRowMax && bytes < kPackBytesMax &&
           head.add(births[count].first - births.front().first))
      bytes += births[count++].second.size();
    const JobNo first = births.front().first;
    if (count < kPackRowsMin || !packs_.goes_behind(first)) {
      count = std::max<size_t>(count, 1);
      for (const auto& [job, row] : births.first(count))
        out.Put(families_[kLive], slice(keys::of(job)), slice(row));
    } else {
      out.Put(families_[kPacks], slice(keys::of(first)), slice(head.encode()));
      out.Put(families_[kPackedRows], slice(keys::of(first)), slice(pack_rows(births.first(count))));
      packs_.add(first, std::move(head));
    }
    births = births.subspan(count);
  }
}

void Store::drop_blocks(uint64_t covered, rocksdb::WriteBatch& out) {
  const auto drop = [&](const BlockPiece& piece) {
    if (!kept_.contains(piece)) out.Delete(families_[kBlocks], slice(BlockPieceKey(piece).bytes()));
  };
  const std::lock_guard lock(blocks_mutex_);
  for (uint64_t commit = blocks_deleted_to_ + 1; commit <= covered; ++commit) {
    drop({commit, 0});
    const auto cuts = cuts_.find(commit);
    if (cuts == cuts_.end()) continue;
    for (const uint32_t offset : cuts->second) drop({commit, offset});
    cuts_.erase(cuts);
  }
  blocks_deleted_to_ = covered;
  kept_.clear();
}

StoreResult<void> Store::put_live(const CheckpointBatch& batch, rocksdb::WriteBatch& out) {
  const std::lock_guard lock(packs_mutex_);
  std::set<JobNo> struck;
  const auto strike = [&](JobNo job) {
    const auto place = packs_.find(job);
    if (!place) return false;
    packs_.strike(*place);
    struck.insert(place->pack);
    return true;
  };
  for (const auto& [job, row] : batch.live_puts) {
    strike(job);
    out.Put(families_[kLive], slice(keys::of(job)), slice(row));
  }
  for (const JobNo job : batch.live_deletes)
    if (!strike(job)) out.Delete(families_[kLive], slice(keys::of(job)));
  for (const JobNo pack : struck)
    if (auto ok = put_struck(pack, out); !ok) return ok;
  put_births(batch.births, out);
  return {};
}

StoreResult<void> Store::put_struck(JobNo pack, rocksdb::WriteBatch& out) {
  const PackHead& head = packs_.head(pack);
  const auto key = keys::of(pack);
  if (head.count() > head.size() / kCountingPartMin) {
    out.Put(families_[kPacks], slice(key), slice(head.encode()));
    return {};
  }
  if (head.count() > 0) {
    const auto rows = read_pack(pack);
    if (!rows) return std::unexpected(rows.error());
    for (size_t at = 0; at < head.size(); ++at)
      if (head.counts(at))
        out.Put(families_[kLive], slice(keys::of(pack + head.distance(at))), slice((*rows)->laid.rows[at]));
  }
  if (head.piece) out.Delete(families_[kBlocks], slice(BlockPieceKey(*head.piece).bytes()));
  out.Delete(families_[kPacks], slice(key));
  out.Delete(families_[kPackedRows], slice(key));
  packs_.remove(pack);
  return {};
}

StoreResult<Store::PackParts> Store::parts_of(JobNo pack, const PackHead& head, const Moment* moment) const {
  auto rows = get(kPackedRows, keys::of(pack), moment);
  if (!rows) return std::unexpected(rows.error());
  if (!*rows) return damaged(pack, "are missing");
  PackParts parts{std::move(**rows), {}};
  if (!head.piece) return parts;
  auto piece = get(kBlocks, BlockPieceKey(*head.piece).bytes(), moment);
  if (!piece) return std::unexpected(piece.error());
  if (!*piece) return damaged(pack, "have lost their records");
  parts.piece = std::move(**piece);
  return parts;
}

StoreResult<const Store::ReadPack*> Store::read_pack(JobNo pack) const {
  const auto known = std::ranges::find(packs_read_, pack, &ReadPack::first);
  if (known != packs_read_.end()) return &*known;
  const PackHead& head = packs_.head(pack);
  const auto parts = parts_of(pack, head);
  if (!parts) return std::unexpected(parts.error());
  auto laid = lay_rows(head, parts->rows, parts->piece);
  if (!laid) return damaged(pack, "cannot be read");
  if (packs_read_.size() == kPacksReadMax) packs_read_.pop_front();
  return &packs_read_.emplace_back(pack, std::move(*laid));
}

StoreResult<std::optional<RecordsRead>> Store::find_packed(JobNo job, size_t packs_max,
                                                           const Moment& moment) const {
  if (families_[kPacks] == nullptr) return std::nullopt;
  // Not back over all that were given up.
  const auto first_possible = keys::of(job - std::min(job, PackHead::kDistanceMax));
  const rocksdb::Slice lower = slice(first_possible);
  rocksdb::ReadOptions options;
  options.snapshot = moment.snapshot_;
  options.iterate_lower_bound = &lower;
  const std::unique_ptr<rocksdb::Iterator> heads(database_->db().NewIterator(options, families_[kPacks]));
  heads->SeekForPrev(slice(keys::of(job)));
  std::optional<RecordsRead> read;
  for (size_t packs = 0; heads->Valid(); heads->Next()) {
    const auto first = keys::number(view(heads->key()));
    const auto head = PackHead::decode(view(heads->value()));
    if (!first || !head) return damaged(first.value_or(0), "have a bad head");
    if (packs == 0 && !head->has(job - *first)) return std::nullopt;
    const auto parts = parts_of(*first, *head, &moment);
    if (!parts) return std::unexpected(parts.error());
    if (!read) read.emplace();
    if (!lay_records(*first, *head, parts->rows, parts->piece, *read))
      return damaged(*first, "cannot be read");
    if (packs == 0 && !read->find(job)) return damaged(*first, "cannot be read");
    if (++packs == packs_max || read->bytes.size() >= kReadAheadBytes) break;
  }
  if (!heads->status().ok()) return failure("cannot read the heads of packed rows", heads->status());
  return read;
}

StoreResult<std::optional<Bytes>> Store::find_single(JobNo job, const Moment& moment) const {
  return get(kLive, keys::of(job), &moment);
}

StoreResult<std::optional<Bytes>> Store::find_live(JobNo job) const {
  {
    const std::lock_guard lock(packs_mutex_);
    if (const auto place = packs_.find(job)) {
      const auto rows = read_pack(place->pack);
      if (!rows) return std::unexpected(rows.error());
      const ByteView row = (*rows)->laid.rows[place->at];
      return Bytes(row.begin(), row.end());
    }
  }
  return get(kLive, keys::of(job));
}

// `f` asks for no row of a live job: the lock is held.
StoreResult<void> Store::for_each_live(const RowVisitor& f) const {
  const std::lock_guard lock(packs_mutex_);
  const auto live = iterate(kLive, kScanBytes);
  const auto packed = iterate(kPackedRows, kScanBytes);
  const auto pieces = iterate(kBlocks, kScanBytes);
  live->SeekToFirst();
  packed->SeekToFirst();
  bool wanted = true;
  const auto single_rows_below = [&](JobNo bound) {
    for (; wanted && live->Valid(); live->Next()) {
      const JobNo job = keys::number(view(live->key())).value_or(0);
      if (job >= bound) return job;
      wanted = f(job, view(live->value()));
    }
    return JobNo{0};
  };
  // They stand in the order of the packs, among blocks of commits that no checkpoint covers.
  const auto piece_of = [&](const PackHead& head) {
    if (!head.piece) return ByteView();
    const BlockPieceKey key(*head.piece);
    if (pieces->Valid()) pieces->Next();
    if (!pieces->Valid() || pieces->key() != slice(key.bytes())) pieces->Seek(slice(key.bytes()));
    return pieces->Valid() && pieces->key() == slice(key.bytes()) ? view(pieces->value()) : ByteView();
  };
  for (const auto& [first, head] : packs_.heads()) {
    const bool there = packed->Valid() && keys::number(view(packed->key())) == first;
    const auto rows = there ? lay_rows(head, view(packed->value()), piece_of(head)) : std::nullopt;
    if (!packed->status().ok()) return failure("cannot read packed rows", packed->status());
    if (!pieces->status().ok()) return failure("cannot read the records of packed rows", pieces->status());
    if (!rows) return damaged(first, "are missing or cannot be read");
    for (size_t at = 0; wanted && at < head.size(); ++at) {
      if (!head.counts(at)) continue;
      const JobNo job = first + head.distance(at);
      if (single_rows_below(job) == job) return damaged(first, "stand there twice");
      wanted = wanted && f(job, rows->rows[at]);
    }
    if (!wanted) return {};
    packed->Next();
  }
  if (packed->Valid()) return damaged(keys::number(view(packed->key())).value_or(0), "have no head");
  single_rows_below(std::numeric_limits<JobNo>::max());
  if (!live->status().ok()) return failure("cannot read the live jobs", live->status());
  if (!packed->status().ok()) return failure("cannot read packed rows", packed->status());
  return {};
}

uint64_t Store::live_estimate() const {
  const std::lock_guard lock(packs_mutex_);
  uint64_t rows = 0;
  if (families_[kLive] != nullptr)
    database_->db().GetIntProperty(families_[kLive], rocksdb::DB::Properties::kEstimateNumKeys, &rows);
  return rows + packs_.rows();
}

}  // namespace pqd
