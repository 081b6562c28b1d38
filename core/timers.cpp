#include "core/timers.h"

#include <algorithm>
#include <bit>

namespace pqd {

void Timers::set(Slot slot, TimeNs deadline_ns) {
  clear(slot);
  link(slot, tick_of(deadline_ns));
}

void Timers::clear(Slot slot) {
  Job& job = jobs_[slot];
  if (job.timer_bucket == 0) return;
  if (job.timer_bucket != kDueBucket) unlink(slot);
  job.timer_bucket = 0;
}

void Timers::link(Slot slot, uint64_t tick) {
  Job& job = jobs_[slot];
  job.timer_tick = tick & Job::kTimerTickMax;
  if (tick <= now_tick_) {
    job.timer_bucket = kDueBucket;
    due_.push_back(slot);
    return;
  }
  const uint64_t differs = (tick ^ now_tick_) | (kBuckets - 1);
  unsigned level = (63u - static_cast<unsigned>(std::countl_zero(differs))) / kBits;
  uint64_t index = tick >> (level * kBits);
  if (level >= kLevels) {
    // The wheel's highest digit turns over before this deadline: as many buckets ahead as it is, at most a
    // round less one.
    level = kLevels - 1;
    const unsigned shift = level * kBits;
    index = std::min(tick >> shift, (now_tick_ >> shift) + kBuckets - 1);
  }
  index %= kBuckets;
  const unsigned bucket = level * kBuckets + static_cast<unsigned>(index);
  job.timer_bucket = static_cast<uint16_t>(bucket + 1);
  job.timer_prev = kNoSlot;
  job.timer_next = heads_[bucket];
  if (job.timer_next != kNoSlot) jobs_[job.timer_next].timer_prev = slot;
  heads_[bucket] = slot;
  occupied_[level] |= uint64_t{1} << index;
}

void Timers::unlink(Slot slot) {
  const Job& job = jobs_[slot];
  const unsigned bucket = job.timer_bucket - 1u;
  if (job.timer_next != kNoSlot) jobs_[job.timer_next].timer_prev = job.timer_prev;
  if (job.timer_prev != kNoSlot) {
    jobs_[job.timer_prev].timer_next = job.timer_next;
  } else {
    heads_[bucket] = job.timer_next;
  }
  if (heads_[bucket] == kNoSlot) occupied_[bucket / kBuckets] &= ~(uint64_t{1} << (bucket % kBuckets));
}

std::optional<Timers::Expiry> Timers::next_expiry() const {
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const unsigned shift = level * kBits;
    const unsigned here = static_cast<unsigned>(now_tick_ >> shift) % kBuckets;
    const unsigned ahead =
        static_cast<unsigned>(std::countr_zero(std::rotr(occupied_[level], static_cast<int>(here))));
    const unsigned index = (here + ahead) % kBuckets;
    return Expiry{level, index, expiry_tick(level, index)};
  }
  return std::nullopt;
}

uint64_t Timers::expiry_tick(unsigned level, unsigned index) const {
  const unsigned shift = level * kBits;
  const uint64_t round_ticks = uint64_t{1} << (shift + kBits);
  const uint64_t tick = (now_tick_ & ~(round_ticks - 1)) + (uint64_t{index} << shift);
  return tick <= now_tick_ ? tick + round_ticks : tick;
}

std::optional<TimeNs> Timers::next_ns() const {
  if (!due_.empty()) return TimeNs{0};
  const auto next = next_expiry();
  if (!next) return std::nullopt;
  return static_cast<TimeNs>(next->tick) * kMillisecondNs;
}

void Timers::collect_due(TimeNs now_ns) {
  const auto target = static_cast<uint64_t>(std::max<TimeNs>(now_ns, 0) / kMillisecondNs);
  for (auto next = next_expiry(); next && next->tick <= target; next = next_expiry()) {
    now_tick_ = next->tick;
    empty_bucket(next->level, next->index);
  }
  now_tick_ = std::max(now_tick_, target);
}

std::vector<Slot> Timers::take_due() {
  std::vector<Slot> taken;
  taken.swap(due_);
  std::sort(taken.begin(), taken.end(), [this](Slot a, Slot b) {
    const auto key = [](const Job& job) { return std::pair(job.timer_tick, arrival(job.no)); };
    return key(jobs_[a]) < key(jobs_[b]);
  });
  return taken;
}

void Timers::empty_bucket(unsigned level, unsigned index) {
  const unsigned bucket = level * kBuckets + index;
  Slot slot = heads_[bucket];
  heads_[bucket] = kNoSlot;
  occupied_[level] &= ~(uint64_t{1} << index);
  while (slot != kNoSlot) {
    const Slot following = jobs_[slot].timer_next;
    link(slot, jobs_[slot].timer_tick);
    slot = following;
  }
}

}  // namespace pqd
