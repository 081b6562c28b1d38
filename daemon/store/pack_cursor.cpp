#include "daemon/store/pack_cursor.h"

#include <algorithm>
#include <limits>

#include "daemon/store/rocksdb_bytes.h"

namespace pqd {
namespace {

constexpr JobId kNewest{UINT64_MAX, UINT64_MAX};

JobId behind(const JobId& id) {
  return id.low == UINT64_MAX ? JobId{id.high + 1, 0} : JobId{id.high, id.low + 1};
}

}  // namespace

PackCursor::PackCursor(rocksdb::Iterator& at, ByteView prefix, Of of, const JobId& below)
    : PackCursor(at, prefix, of) {
  window_ = done_window(below);
  open_window(below);
  if (places_.empty() && !error_ && window_ > 0) enter(window_ - 1);
}

StoreResult<std::optional<Bytes>> PackCursor::find(rocksdb::Iterator& at, const JobId& id) {
  PackCursor cursor(at, {}, Of::kRows);
  cursor.window_ = done_window(id);
  cursor.open_window(behind(id));
  if (auto ok = cursor.status(); !ok) return std::unexpected(ok.error());
  if (!cursor.valid() || cursor.id() != id) return std::nullopt;
  const ByteView row = cursor.row();
  return Bytes(row.begin(), row.end());
}

StoreResult<void> PackCursor::status() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

void PackCursor::next() {
  const JobId last = id();
  // A run that was not finished has some of a later one's.
  do step();
  while (valid() && id() == last);
}

void PackCursor::step() {
  std::ranges::pop_heap(places_, std::less());
  Place place = std::move(places_.back());
  places_.pop_back();
  if (--place.left == 0)
    if (auto before = load(place.key.run, place.key.first)) place = std::move(*before);
  if (place.left > 0) {
    places_.push_back(std::move(place));
    std::ranges::push_heap(places_, std::less());
  }
  if (places_.empty() && !error_ && window_ > 0) enter(window_ - 1);
}

// The newest window up to this one that has packs.
void PackCursor::enter(uint64_t window) {
  const DoneRun last{window, std::numeric_limits<uint64_t>::max(), std::numeric_limits<uint32_t>::max()};
  at_.SeekForPrev(write_pack_key(prefix_, {last, kNewest}));
  const auto key = key_here();
  if (!key) return;
  window_ = key->run.window;
  open_window(kNewest);
}

// Takes of each run the pack with its newest id below `below`, leaping from run to run.
void PackCursor::open_window(const JobId& below) {
  DoneRun run{window_, 0, 0};
  for (;;) {
    at_.Seek(write_pack_key(prefix_, {run, {}}));
    const auto key = key_here();
    if (!key || key->run.window != window_) break;
    run = key->run;
    if (auto place = load(run, below)) places_.push_back(std::move(*place));
    if (error_) return;
    if (++run.epoch == 0) ++run.covered;
  }
  std::ranges::make_heap(places_, std::less());
}

std::optional<PackCursor::Place> PackCursor::load(const DoneRun& run, const JobId& below) {
  const std::string bound = write_pack_key(prefix_, {run, below});
  at_.SeekForPrev(bound);
  if (at_.Valid() && at_.key() == bound) at_.Prev();
  const auto key = key_here();
  if (!key || key->run != run) return std::nullopt;
  Place place{.key = *key, .bytes = {}, .pack = {}};
  const ByteView value = view(at_.value());
  place.bytes.assign(value.begin(), value.end());
  auto pack = of_ == Of::kRows ? unpack_done(place.bytes) : unpack_done_ids(place.bytes);
  if (!pack || pack->ids.front() != key->first || done_window(pack->ids.back()) != run.window) {
    fail({Error::kSystemError, "the pack of finished jobs from " + key->first.to_string() + " on is damaged",
          true});
    return std::nullopt;
  }
  place.left = static_cast<size_t>(std::ranges::lower_bound(pack->ids, below) - pack->ids.begin());
  place.pack = std::move(*pack);
  return place;
}

// Nothing when the iterator stands at none behind the prefix. What it could not read is taken down here: its
// next seek forgets it.
std::optional<DonePackKey> PackCursor::key_here() {
  if (!at_.status().ok()) {
    fail(failure("cannot read the packs of finished jobs", at_.status()).error());
    return std::nullopt;
  }
  if (!at_.Valid() || !starts_with(at_.key(), prefix_)) return std::nullopt;
  auto key = read_pack_key(view(at_.key()), prefix_.size());
  if (!key) fail({Error::kSystemError, "a key of the packs of finished jobs is damaged", true});
  return key;
}

void PackCursor::fail(StoreError error) {
  if (!error_) error_ = std::move(error);
}

}  // namespace pqd
