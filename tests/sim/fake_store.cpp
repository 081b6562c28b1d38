#include "tests/sim/fake_store.h"

#include <algorithm>

#include "tests/sim/canary.h"
#include "tests/sim/fault.h"

namespace pqd::sim {

void FakeStore::apply(const Write& write, Disk& disk) {
  if (const auto* commit = std::get_if<Appended>(&write)) {
    disk.known_synced = std::max(disk.known_synced, commit->synced);
    disk.journal[commit->number] = commit->entry;
    disk.all_blocks[commit->number] = commit->block;
    if (!commit->block->empty()) disk.blocks[commit->number] = commit->block;
    return;
  }
  if (const auto* ahead = std::get_if<RowsAhead>(&write)) {
    for (const auto& [id, row] : ahead->rows) disk.done[id] = std::make_shared<const Bytes>(row);
    return;
  }
  const auto& batch = std::get<CheckpointWrite>(write).batch;
  for (const Birth& birth : batch->births)
    disk.live[birth.job] = std::make_shared<const Bytes>(birth.whole_row());
  for (const auto& [job, row] : batch->live_puts) disk.live[job] = std::make_shared<const Bytes>(row);
  for (const JobNo job : batch->live_deletes) disk.live.erase(job);
  for (const JobId& id : batch->done_deletes) disk.done.erase(id);
  for (const auto& [id, row] : batch->done_puts) disk.done[id] = std::make_shared<const Bytes>(row);
  for (const JobNo job : batch->dead_letter_deletes) disk.dead_letters.erase(job);
  for (const auto& [job, id] : batch->dead_letter_puts) disk.dead_letters[job] = id;
  for (const auto& [key, kept] : batch->keys) {
    disk.keys.erase(key);
    if (kept && !planted("keys-forgotten-at-checkpoint")) disk.keys.emplace(key, *kept);
  }
  for (const auto& [key, row] : batch->metrics) disk.metrics[key] = std::make_shared<const Bytes>(row);
  disk.checkpoint = batch;
  disk.blocks.erase(disk.blocks.begin(), disk.blocks.upper_bound(batch->covered));
}

void FakeStore::write(Write write) {
  apply(write, disk_);
  unsynced_.push_back(std::move(write));
}

void FakeStore::sync_all() {
  for (const Write& write : unsynced_) apply(write, platter_);
  unsynced_.clear();
  synced_ = written_;
}

uint32_t FakeStore::next_epoch() {
  sync_all();
  return ++epoch_;
}

void FakeStore::append(uint64_t number, SharedBytes entry, SharedBytes block) {
  require(number == written_ + 1, "the store got commit ", number, " after ", written_);
  write(Appended{number, synced_, std::move(entry), std::move(block)});
  written_ = number;
}

void FakeStore::sync(uint64_t number) {
  require(number <= written_, "a sync of commit ", number, ", which is not written");
  sync_all();
}

void FakeStore::go_on_after(uint64_t number) {
  for (Disk* disk : {&disk_, &platter_})
    for (auto* family : {&disk->journal, &disk->blocks, &disk->all_blocks})
      family->erase(family->upper_bound(number), family->end());
  written_ = synced_ = number;
}

void FakeStore::sync_before_checkpoint(uint64_t covered) {
  const bool on_another = std::ranges::any_of(
      unsynced_, [](const Write& write) { return !std::holds_alternative<Appended>(write); });
  if ((on_another || synced_ < covered) && !planted("checkpoint-before-sync")) sync_all();
}

void FakeStore::rows_ahead(const CheckpointBatch& batch, size_t count) {
  if (!batch.done_deletes.empty()) return;
  sync_before_checkpoint(batch.covered);
  RowsAhead ahead;
  for (size_t i = 0; i < std::min(count, batch.done_puts.size()); ++i)
    ahead.rows.push_back(batch.done_puts[i]);
  write(std::move(ahead));
}

void FakeStore::checkpoint(const CheckpointBatch& batch) {
  require(batch.covered <= written_, "a checkpoint covers commit ", batch.covered, ", which is not written");
  rows_ahead(batch, batch.done_puts.size());
  sync_before_checkpoint(batch.covered);
  write(CheckpointWrite{std::make_shared<const CheckpointBatch>(batch)});
}

void FakeStore::testify(uint64_t number) {
  const auto entry = disk_.journal.find(number);
  if (number > synced_ || entry == disk_.journal.end()) return;
  testimony_ = Testimony{number, entry_hash(*entry->second)};
}

void FakeStore::cut_power(Random& random) {
  const auto kept = static_cast<size_t>(random.below(unsynced_.size() + 1));
  size_t gap = kept;
  size_t behind = kept;
  if (random.chance(1, 3)) {
    gap = static_cast<size_t>(random.below(kept));
    behind = gap + static_cast<size_t>(random.between(1, random.chance(1, 2) ? 1 : kept - gap));
  }
  for (size_t i = 0; i < kept; ++i)
    if (i < gap || i >= behind) apply(unsynced_[i], platter_);
  unsynced_.clear();
  disk_ = platter_;
  written_ = synced_ = disk_.journal.empty() ? 0 : disk_.journal.rbegin()->first;
}

StoreResult<std::optional<Checkpoint>> FakeStore::load_checkpoint() const {
  if (!disk_.checkpoint) return std::nullopt;
  return Checkpoint{disk_.checkpoint->covered, disk_.checkpoint->tables};
}

StoreResult<void> FakeStore::for_each_live(const RowVisitor& f) const {
  for (const auto& [job, row] : disk_.live)
    if (!f(job, *row)) break;
  return {};
}

StoreResult<void> FakeStore::for_each_commit(uint64_t from, const CommitVisitor& f) const {
  for (auto at = disk_.journal.lower_bound(from); at != disk_.journal.end(); ++at) {
    const auto block = disk_.blocks.find(at->first);
    if (!f(at->first, *at->second, block == disk_.blocks.end() ? ByteView() : ByteView(*block->second)))
      break;
  }
  return {};
}

void FakeStore::for_each_ever(const std::function<void(uint64_t, ByteView, ByteView)>& f) const {
  for (const auto& [number, entry] : disk_.journal) f(number, *entry, *disk_.all_blocks.at(number));
}

namespace {

template <class Map, class Key>
StoreResult<std::optional<Bytes>> found(const Map& map, const Key& key) {
  const auto at = map.find(key);
  if (at == map.end()) return std::nullopt;
  return *at->second;
}

}  // namespace

StoreResult<std::optional<Bytes>> FakeStore::find_live(JobNo job) const { return found(disk_.live, job); }
StoreResult<std::optional<Bytes>> FakeStore::find_done(const JobId& id) const {
  return found(disk_.done, id);
}
StoreResult<std::optional<Bytes>> FakeStore::find_metrics(const MetricsKey& key) const {
  return found(disk_.metrics, key);
}
StoreResult<std::optional<Bytes>> FakeStore::find_entry(uint64_t number) const {
  return found(disk_.journal, number);
}

StoreResult<std::optional<KeptKey>> FakeStore::find_key(const ShortHash& key) const {
  const auto at = disk_.keys.find(key);
  if (at == disk_.keys.end()) return std::nullopt;
  return at->second;
}

}  // namespace pqd::sim
