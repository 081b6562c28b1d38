#include "core/live_index.h"

#include <cstdlib>

#include "core/job_table.h"

namespace pqd {
namespace {

// A chunk this empty goes into its neighbour if both then leave some room.
constexpr uint32_t kFewJobs = LiveIndex::kChunkJobs / 4;
constexpr uint32_t kMergedJobsMax = LiveIndex::kChunkJobs * 3 / 4;

}  // namespace

LiveSummary LiveSummary::of(const JobTable& jobs, Slot slot) {
  const JobTerms& terms = jobs.terms(slot);
  return {queue_bit(terms.queue), type_bit(terms.type), owner_bit(terms.owner_uid),
          static_cast<uint8_t>(1u << static_cast<unsigned>(jobs[slot].state))};
}

void LiveSummary::add(const LiveSummary& other) {
  queues |= other.queues;
  types |= other.types;
  owners |= other.owners;
  states |= other.states;
}

bool LiveSummary::covers(const LiveSummary& other) const {
  LiveSummary both = *this;
  both.add(other);
  return both.queues == queues && both.types == types && both.owners == owners && both.states == states;
}

const JobId& LiveIndex::id_of(const JobTable& jobs, Slot slot) { return jobs[slot].id; }

size_t LiveIndex::place_of(const JobId& id) const {
  const auto after = std::upper_bound(order_.begin(), order_.end(), id,
                                      [](const JobId& wanted, const Place& at) { return wanted < at.low; });
  return after == order_.begin() ? 0 : static_cast<size_t>(after - order_.begin()) - 1;
}

uint32_t LiveIndex::count_below(const JobTable& jobs, const Chunk& chunk, const JobId& id) {
  const auto end = chunk.slots.begin() + chunk.count;
  const auto found =
      std::partition_point(chunk.slots.begin(), end, [&](Slot slot) { return id_of(jobs, slot) < id; });
  return static_cast<uint32_t>(found - chunk.slots.begin());
}

Slot LiveIndex::find(const JobTable& jobs, const JobId& id) const {
  if (order_.empty()) return kNoSlot;
  const Chunk& chunk = chunks_[order_[place_of(id)].chunk];
  const uint32_t index = count_below(jobs, chunk, id);
  const bool there = index < chunk.count && id_of(jobs, chunk.slots[index]) == id;
  return there ? chunk.slots[index] : kNoSlot;
}

bool LiveIndex::has(const JobTable& jobs, const JobId& id) const {
  if (order_.empty()) return false;
  const Chunk& newest = chunks_[order_.back().chunk];
  const bool above_all = newest.count > 0 && id > id_of(jobs, newest.slots[newest.count - 1]);
  return !above_all && find(jobs, id) != kNoSlot;
}

LiveSummary LiveIndex::summary_of(const JobTable& jobs, const Chunk& chunk) const {
  LiveSummary summary;
  for (uint32_t i = 0; i < chunk.count; ++i) summary.add(LiveSummary::of(jobs, chunk.slots[i]));
  return summary;
}

uint32_t LiveIndex::take_chunk() {
  if (free_.empty()) {
    chunks_.emplace_back();
    return static_cast<uint32_t>(chunks_.size() - 1);
  }
  const uint32_t chunk = free_.back();
  free_.pop_back();
  chunks_[chunk].summary = {};
  chunks_[chunk].count = 0;
  return chunk;
}

void LiveIndex::add(JobTable& jobs, Slot slot) {
  const JobId& id = id_of(jobs, slot);
  if (order_.empty()) return append_chunk(jobs, slot);
  const size_t last = order_.size() - 1;
  const Chunk& newest = chunks_[order_[last].chunk];
  const bool at_the_end = id > id_of(jobs, newest.slots[newest.count - 1]);
  // Ids mostly come in order: a full chunk is left full.
  if (at_the_end && newest.count == kChunkJobs) return append_chunk(jobs, slot);
  size_t place = at_the_end ? last : place_of(id);
  if (chunks_[order_[place].chunk].count == kChunkJobs) {
    split(jobs, place);
    place = place_of(id);
  }
  insert(jobs, slot, place);
}

void LiveIndex::append_chunk(JobTable& jobs, Slot slot) {
  order_.push_back({id_of(jobs, slot), take_chunk()});
  insert(jobs, slot, order_.size() - 1);
}

void LiveIndex::insert(JobTable& jobs, Slot slot, size_t place) {
  const JobId& id = id_of(jobs, slot);
  Place& at = order_[place];
  Chunk& chunk = chunks_[at.chunk];
  const bool behind = chunk.count == 0 || id_of(jobs, chunk.slots[chunk.count - 1]) < id;
  const uint32_t index = behind ? chunk.count : count_below(jobs, chunk, id);
  if (index < chunk.count && id_of(jobs, chunk.slots[index]) == id) std::abort();
  std::move_backward(chunk.slots.begin() + index, chunk.slots.begin() + chunk.count,
                     chunk.slots.begin() + chunk.count + 1);
  chunk.slots[index] = slot;
  ++chunk.count;
  chunk.summary.add(LiveSummary::of(jobs, slot));
  at.low = std::min(at.low, id);  // the oldest chunk alone may have to reach further back
  jobs[slot].index_chunk = at.chunk;
}

void LiveIndex::split(JobTable& jobs, size_t place) {
  const uint32_t later = take_chunk();
  Chunk& from = chunks_[order_[place].chunk];
  Chunk& to = chunks_[later];
  constexpr uint32_t kHalf = kChunkJobs / 2;
  to.count = kChunkJobs - kHalf;
  std::copy(from.slots.begin() + kHalf, from.slots.end(), to.slots.begin());
  from.count = kHalf;
  for (uint32_t i = 0; i < to.count; ++i) jobs[to.slots[i]].index_chunk = later;
  from.summary = summary_of(jobs, from);
  to.summary = summary_of(jobs, to);
  order_.insert(order_.begin() + static_cast<ptrdiff_t>(place) + 1, {id_of(jobs, to.slots[0]), later});
}

void LiveIndex::remove(JobTable& jobs, Slot slot) {
  Chunk& chunk = chunks_[jobs[slot].index_chunk];
  const auto end = chunk.slots.begin() + chunk.count;
  const auto found = std::find(chunk.slots.begin(), end, slot);
  if (found == end) std::abort();
  std::move(found + 1, end, found);
  --chunk.count;
  // Looked at when it has become a quarter full, an eighth and so on: the search is not for every job.
  if (chunk.count <= kFewJobs && (chunk.count & (chunk.count - 1)) == 0)
    shrink(jobs, place_of(id_of(jobs, slot)));
}

void LiveIndex::shrink(JobTable& jobs, size_t place) {
  const uint32_t count = chunks_[order_[place].chunk].count;
  if (count == 0) return drop(place);
  const auto fits = [&](size_t neighbour) {
    return neighbour < order_.size() && chunks_[order_[neighbour].chunk].count + count <= kMergedJobsMax;
  };
  if (place > 0 && fits(place - 1)) return merge_into_earlier(jobs, place);
  if (fits(place + 1)) merge_into_earlier(jobs, place + 1);
}

void LiveIndex::merge_into_earlier(JobTable& jobs, size_t place) {
  const uint32_t target = order_[place - 1].chunk;
  Chunk& to = chunks_[target];
  const Chunk& from = chunks_[order_[place].chunk];
  std::copy(from.slots.begin(), from.slots.begin() + from.count, to.slots.begin() + to.count);
  to.count += from.count;
  to.summary.add(from.summary);
  for (uint32_t i = 0; i < from.count; ++i) jobs[from.slots[i]].index_chunk = target;
  drop(place);
}

void LiveIndex::drop(size_t place) {
  free_.push_back(order_[place].chunk);
  order_.erase(order_.begin() + static_cast<ptrdiff_t>(place));
}

void LiveIndex::state_changed(const JobTable& jobs, Slot slot) {
  chunks_[jobs[slot].index_chunk].summary.states |= LiveSummary::of(jobs, slot).states;
}

const char* LiveIndex::find_fault(const JobTable& jobs) const {
  size_t seen = 0;
  JobId before;
  for (size_t place = 0; place < order_.size(); ++place) {
    const auto& [low, number] = order_[place];
    const Chunk& chunk = chunks_[number];
    if (chunk.count == 0) return "live index: an empty chunk is kept";
    if (low <= before && place > 0) return "live index: a chunk's low end is in the chunk before";
    for (uint32_t i = 0; i < chunk.count; ++i) {
      const Job& job = jobs[chunk.slots[i]];
      if (job.id < low || (seen > 0 && job.id <= before)) return "live index: order of ids";
      if (job.index_chunk != number) return "live index: a job names another chunk";
      if (!chunk.summary.covers(LiveSummary::of(jobs, chunk.slots[i])))
        return "live index: a summary leaves a job out";
      if (jobs.find(job.no) != chunk.slots[i]) return "live index: a job that is gone";
      before = job.id;
      ++seen;
    }
  }
  return seen == jobs.size() ? nullptr : "live index: not every job is in it";
}

}  // namespace pqd
