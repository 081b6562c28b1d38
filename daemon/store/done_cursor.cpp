#include "daemon/store/done_cursor.h"

#include <algorithm>

#include "daemon/store/done_walk.h"
#include "daemon/store/rocksdb_bytes.h"

namespace pqd {
namespace {

constexpr size_t kReadAheadMax = 64;
constexpr JobId kNewest{UINT64_MAX, UINT64_MAX};

}  // namespace

StoreResult<std::optional<DoneGroup>> next_group(rocksdb::Iterator& singles, rocksdb::Iterator& packs,
                                                 const DoneGroup& from) {
  std::optional<DoneGroup> least;
  for (rocksdb::Iterator* at : {&singles, &packs}) {
    at->Seek(slice(write_done_group(from)));
    // The next seek forgets it.
    if (!at->status().ok()) return failure("cannot read the index of finished jobs", at->status());
    const auto group = at->Valid() ? read_done_group(view(at->key())) : std::nullopt;
    if (group && (!least || *group < *least)) least = group;
  }
  return least;
}

DoneCursor::DoneCursor(const Store& store, const JobFilter& filter)
    : filter_(filter), below_(filter.below()), singles_(store.done_index()), packs_(store.index_packs()) {
  search_from_ = DoneGroup{}.first_match(filter_);
  found_all_groups_ = filter_.nothing || !search_from_;
}

DoneCursor::~DoneCursor() = default;

StoreResult<void> DoneCursor::step(size_t ids_max, size_t& rows_max, std::vector<JobId>& ids) {
  while (!found_all_groups_ && rows_max > 0) {
    // One row to find a group, one to read its newest id.
    rows_max -= std::min<size_t>(rows_max, 2);
    if (!find_group()) found_all_groups_ = true;
  }
  while (found_all_groups_ && !heads_.empty() && ids_max > 0 && rows_max > 0) {
    std::ranges::pop_heap(heads_);
    const Head newest = heads_.back();
    heads_.pop_back();
    ids.push_back(newest.id);
    --ids_max;
    if (groups_[newest.group].ids.empty())
      rows_max -= std::min(rows_max, std::max<size_t>(read_on(newest.group, newest.id), 1));
    add_head(newest.group);
  }
  return read_;
}

bool DoneCursor::find_group() {
  if (!search_from_) return false;
  const auto next_there = next_group(*singles_, *packs_, *search_from_);
  if (!next_there) read_ = std::unexpected(next_there.error());
  const std::optional<DoneGroup> found = next_there.value_or(std::nullopt);
  if (!found) return false;
  search_from_ = found->first_match(filter_);
  if (search_from_ != *found) return search_from_.has_value();
  const auto next = found->next();
  search_from_ = next ? next->first_match(filter_) : std::nullopt;
  groups_.push_back({*found, {}});
  const auto group = static_cast<uint32_t>(groups_.size() - 1);
  read_on(group, below_.empty() ? kNewest : below_);
  add_head(group);
  return true;
}

size_t DoneCursor::read_on(uint32_t group, const JobId& below) {
  Ahead& ahead = groups_[group];
  size_t rows = 0;
  const DoneGroupBytes prefix = write_done_group(ahead.group);
  DoneWalk walk(*singles_, *packs_, prefix, PackCursor::Of::kIds, below);
  for (; walk.valid() && ahead.ids.size() < ahead.read; walk.next()) {
    if (filter_.ends_before(walk.id())) break;
    ++rows;
    ahead.ids.push_back(walk.id());
  }
  if (read_) read_ = walk.status();
  std::ranges::reverse(ahead.ids);
  ahead.read = std::min(ahead.read * 2, kReadAheadMax);
  return rows;
}

void DoneCursor::add_head(uint32_t group) {
  std::vector<JobId>& ids = groups_[group].ids;
  if (ids.empty()) return;
  heads_.push_back({ids.back(), group});
  std::ranges::push_heap(heads_);
  ids.pop_back();
}

}  // namespace pqd
