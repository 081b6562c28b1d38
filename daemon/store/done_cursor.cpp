#include "daemon/store/done_cursor.h"

#include <algorithm>

#include "daemon/store/rocksdb_bytes.h"

namespace pqd {
namespace {

constexpr size_t kReadAheadMax = 64;
constexpr JobId kNewest{UINT64_MAX, UINT64_MAX};

}  // namespace

DoneCursor::DoneCursor(const Store& store, const JobFilter& filter)
    : filter_(filter), below_(filter.below()), at_(store.done_index()) {
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
  if (!at_->status().ok()) return failure("cannot read the index of finished jobs", at_->status());
  return {};
}

// Leaps to the next group that is there and matches; false when there is none.
bool DoneCursor::find_group() {
  if (!search_from_) return false;
  at_->Seek(slice(write_done_key({*search_from_, {}})));
  const auto key = at_->Valid() ? read_done_key(view(at_->key())) : std::nullopt;
  if (!key) return false;
  search_from_ = key->group.first_match(filter_);
  if (search_from_ != key->group) return search_from_.has_value();
  const auto next = key->group.next();
  search_from_ = next ? next->first_match(filter_) : std::nullopt;
  groups_.push_back({key->group, {}});
  const auto group = static_cast<uint32_t>(groups_.size() - 1);
  read_on(group, below_.empty() ? kNewest : below_);
  add_head(group);
  return true;
}

size_t DoneCursor::read_on(uint32_t group, const JobId& below) {
  Ahead& ahead = groups_[group];
  size_t rows = 0;
  at_->SeekForPrev(slice(write_done_key({ahead.group, below})));
  for (; at_->Valid() && ahead.ids.size() < ahead.read; at_->Prev()) {
    const auto key = read_done_key(view(at_->key()));
    if (!key || key->group != ahead.group || filter_.ends_before(key->id)) break;
    ++rows;
    if (key->id < below) ahead.ids.push_back(key->id);
  }
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
