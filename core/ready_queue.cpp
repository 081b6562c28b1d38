#include "core/ready_queue.h"

#include <algorithm>
#include <bit>

namespace pqd {

Slot ReadyQueue::RankLine::front() const {
  if (returned.empty()) return head;
  if (head == kNoSlot || returned.begin()->first < head_seq) return returned.begin()->second;
  return head;
}

Slot ReadyQueue::front(const Line& line) {
  const auto rank = static_cast<size_t>(31 - std::countl_zero(line.ranks));
  return line.by_rank[rank].front();
}

Slot ReadyQueue::oldest(const JobTable& jobs, const Line& line) {
  Slot oldest = kNoSlot;
  for (uint32_t ranks = line.ranks; ranks != 0; ranks &= ranks - 1) {
    const Slot slot = line.by_rank[static_cast<size_t>(std::countr_zero(ranks))].front();
    if (oldest == kNoSlot || was_ready_before(jobs[slot], jobs[oldest])) oldest = slot;
  }
  return oldest;
}

ReadyQueue::Line& ReadyQueue::line_of(TypeNo type) {
  const auto [found, fresh] = index_.try_emplace(type, static_cast<uint32_t>(lines_.size()));
  if (fresh) lines_.emplace_back().type = type;
  return lines_[found->second];
}

void ReadyQueue::push_back(JobTable& jobs, Slot slot) {
  Job& job = jobs[slot];
  Line& line = line_of(job.core.type);
  RankLine& rank = line.by_rank[job.core.rank()];
  job.ready_prev = rank.tail;
  job.ready_next = kNoSlot;
  if (rank.tail != kNoSlot) {
    jobs[rank.tail].ready_next = slot;
  } else {
    rank.head = slot;
    rank.head_seq = job.core.ready_seq;
  }
  rank.tail = slot;
  added(line, job);
}

void ReadyQueue::push_returned(JobTable& jobs, Slot slot) {
  Job& job = jobs[slot];
  Line& line = line_of(job.core.type);
  line.by_rank[job.core.rank()].returned.emplace(job.core.ready_seq, slot);
  job.ready_returned = true;
  added(line, job);
}

void ReadyQueue::added(Line& line, const Job& job) {
  line.ranks |= 1u << job.core.rank();
  ++line.count;
  ++size_;
  if (!line.warm) warm_line(index_[line.type]);
}

void ReadyQueue::remove(JobTable& jobs, Slot slot) {
  Job& job = jobs[slot];
  Line& line = line_of(job.core.type);
  RankLine& rank = line.by_rank[job.core.rank()];
  if (job.ready_returned) {
    rank.returned.erase({job.core.ready_seq, slot});
    job.ready_returned = false;
  } else {
    (job.ready_prev != kNoSlot ? jobs[job.ready_prev].ready_next : rank.head) = job.ready_next;
    (job.ready_next != kNoSlot ? jobs[job.ready_next].ready_prev : rank.tail) = job.ready_prev;
    if (rank.head != kNoSlot) rank.head_seq = jobs[rank.head].core.ready_seq;
    job.ready_prev = job.ready_next = kNoSlot;
  }
  if (rank.empty()) line.ranks &= ~(1u << job.core.rank());
  --line.count;
  --size_;
}

void ReadyQueue::warm_line(uint32_t index) {
  Line& line = lines_[index];
  if (line.warm || line.count == 0) return;
  line.warm = true;
  warm_.push_back(index);
}

void ReadyQueue::warm(TypeNo type) {
  const auto found = index_.find(type);
  if (found != index_.end()) warm_line(found->second);
}

void ReadyQueue::warm_all() {
  for (uint32_t index = 0; index < lines_.size(); ++index) warm_line(index);
}

TimeNs ReadyQueue::oldest_ready_ns(const JobTable& jobs) const {
  TimeNs oldest = 0;
  for (const Line& line : lines_) {
    for (uint32_t ranks = line.ranks; ranks != 0; ranks &= ranks - 1) {
      const Slot slot = line.by_rank[static_cast<size_t>(std::countr_zero(ranks))].front();
      const TimeNs since = jobs[slot].core.ready_ns;
      if (oldest == 0 || since < oldest) oldest = since;
    }
  }
  return oldest;
}

uint64_t ReadyQueue::count_before(const JobTable& jobs, Slot slot, uint64_t most) const {
  uint64_t count = 0;
  for (const Line& line : lines_) {
    for (const RankLine& rank : line.by_rank) {
      for (Slot at = rank.head; at != kNoSlot && count < most; at = jobs[at].ready_next) {
        if (!goes_before(jobs[at], jobs[slot])) break;
        ++count;
      }
      for (const auto& [seq, at] : rank.returned) {
        if (count >= most || !goes_before(jobs[at], jobs[slot])) break;
        ++count;
      }
    }
  }
  return count;
}

}  // namespace pqd
