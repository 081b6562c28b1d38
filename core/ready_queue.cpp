#include "core/ready_queue.h"

#include <algorithm>
#include <bit>

namespace pqd {

Slot ReadyQueue::front(const Line& line) {
  const auto rank = static_cast<size_t>(31 - std::countl_zero(line.ranks));
  return line.by_rank[rank].front();
}

Slot ReadyQueue::oldest(const JobTable& jobs, const Line& line) {
  Slot oldest = kNoSlot;
  for (uint32_t ranks = line.ranks; ranks != 0; ranks &= ranks - 1) {
    const Slot slot = line.by_rank[static_cast<size_t>(std::countr_zero(ranks))].oldest();
    if (oldest == kNoSlot || was_ready_before(jobs, slot, oldest)) oldest = slot;
  }
  return oldest;
}

uint32_t ReadyQueue::line_of(TypeNo type) {
  if (const auto found = index_.find(type); found != index_.end()) return found->second;
  // As many go as stay, or more: each has been paid for by one that came.
  if (index_.size() >= kKeptLines && idle_ > index_.size() / 2) forget_idle_lines();
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(lines_.size()));
    lines_.emplace_back();
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  lines_[index].type = type;
  ++idle_;
  return index_[type] = index;
}

void ReadyQueue::forget_idle_lines() {
  std::erase_if(warm_, [this](uint32_t index) { return lines_[index].count == 0; });
  std::erase_if(index_, [this](const auto& entry) {
    Line& line = lines_[entry.second];
    if (line.count > 0) return false;
    line = {};
    free_.push_back(entry.second);
    return true;
  });
  idle_ = 0;
}

void ReadyQueue::push(JobTable& jobs, Slot slot, bool returned, const std::string& group) {
  Job& job = jobs[slot];
  const JobTerms& terms = jobs.terms(slot);
  const uint32_t index = line_of(terms.type);
  Line& line = lines_[index];
  RankLine& rank = line.by_rank[terms.rank()];
  if (fairness_ == Fairness::kOff) {
    rank.line.push(jobs, slot, returned);
  } else {
    if (!rank.fair) rank.fair = std::make_unique<FairLine>();
    job.ready_group = enter_group(jobs.batch(slot), terms.rank(), group);
    FairGroup& in = (*groups_)[job.ready_group];
    if (rank.fair->push(jobs, slot, returned, job.ready_group, in.time)) in.lines.push_back(index);
  }
  if (returned) returned_.emplace(jobs.times(slot).ready_ns, slot);
  line.ranks |= 1u << terms.rank();
  if (line.count++ == 0) --idle_;
  ++size_;
  if (!line.warm) warm_line(index);
}

// A batch is delivered in one piece: its jobs come one after the other, and stand where the first of them
// does, even if they are of several groups since they began to collect.
GroupNo ReadyQueue::enter_group(uint64_t batch, uint8_t rank, const std::string& name) {
  const bool follows = batch != 0 && batch == last_batch_ && last_batch_group_ != kNoGroup;
  const GroupNo group = groups_->enter(rank, follows ? (*groups_)[last_batch_group_].name : name);
  last_batch_ = batch;
  last_batch_group_ = batch != 0 ? group : kNoGroup;
  return group;
}

void ReadyQueue::remove(JobTable& jobs, Slot slot) {
  Job& job = jobs[slot];
  const JobTerms& terms = jobs.terms(slot);
  const uint32_t index = line_of(terms.type);
  Line& line = lines_[index];
  RankLine& rank = line.by_rank[terms.rank()];
  if (job.ready_returned) returned_.erase({jobs.times(slot).ready_ns, slot});
  if (fairness_ == Fairness::kOff) {
    rank.line.remove(jobs, slot);
  } else {
    if (rank.fair->remove(jobs, slot, job.ready_group)) std::erase((*groups_)[job.ready_group].lines, index);
    if (job.ready_group == last_batch_group_) last_batch_group_ = kNoGroup;
    groups_->leave(job.ready_group);
  }
  if (rank.empty()) line.ranks &= ~(1u << terms.rank());
  if (--line.count == 0) ++idle_;
  --size_;
}

void ReadyQueue::pass_turn(const JobTable& jobs, Slot slot) {
  if (fairness_ == Fairness::kOff) return;
  const GroupNo group = jobs[slot].ready_group;
  groups_->pass(group);
  const FairGroup& passed = (*groups_)[group];
  for (const uint32_t index : passed.lines) lines_[index].by_rank[passed.rank].fair->move(group, passed.time);
}

// In the order of becoming ready, in which they may be pushed again.
ReadyQueue::InOrder ReadyQueue::take_all(JobTable& jobs) {
  InOrder all;
  all.reserve(size_);
  for (Line& line : lines_) {
    for (RankLine& rank : line.by_rank) {
      const auto add = [&](Slot slot) { all.emplace_back(jobs.ready_seq(slot), slot); };
      rank.fair ? rank.fair->for_each(jobs, add) : rank.line.for_each(jobs, add);
      rank = {};
    }
    line.ranks = 0;
    line.count = 0;
  }
  idle_ = index_.size();
  size_ = 0;
  groups_.reset();
  last_batch_group_ = kNoGroup;
  returned_.clear();
  std::sort(all.begin(), all.end());
  for (const auto& [seq, slot] : all) jobs[slot].ready_returned = false;
  return all;
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
  // Who came back waits anew: it may stand before others that have waited for longer.
  TimeNs oldest = returned_.empty() ? 0 : returned_.begin()->first;
  for (const Line& line : lines_) {
    for (uint32_t ranks = line.ranks; ranks != 0; ranks &= ranks - 1) {
      const Slot slot = line.by_rank[static_cast<size_t>(std::countr_zero(ranks))].oldest_listed();
      if (slot == kNoSlot) continue;
      const TimeNs since = jobs.times(slot).ready_ns;
      if (oldest == 0 || since < oldest) oldest = since;
    }
  }
  return oldest;
}

uint64_t ReadyQueue::count_before(const JobTable& jobs, Slot slot, uint64_t most) const {
  const uint64_t seq = jobs.ready_seq(slot);
  const size_t rank = jobs.terms(slot).rank();
  uint64_t count = 0;
  for (const Line& line : lines_) {
    for (size_t higher = rank + 1; higher < line.by_rank.size() && count < most; ++higher) {
      const RankLine& there = line.by_rank[higher];
      count += there.fair ? there.fair->size() : there.line.count_before(jobs, UINT64_MAX, most - count);
    }
    if (fairness_ == Fairness::kOff && count < most)
      count += line.by_rank[rank].line.count_before(jobs, seq, most - count);
  }
  if (fairness_ != Fairness::kOff && count < most) count += count_turns_before(jobs, slot, most - count);
  return std::min(count, most);
}

// Its group comes to it after those turns of its own that became ready earlier. Until then each other group
// has as many turns as there are on the clock, if it has jobs for them; one at the very same time goes before
// if its first job became ready earlier. Of a group that was passed over only the next turn is of long ago,
// the others follow the clock.
uint64_t ReadyQueue::count_turns_before(const JobTable& jobs, Slot slot, uint64_t most) const {
  const Job& job = jobs[slot];
  const FairGroup& own = (*groups_)[job.ready_group];
  uint64_t own_turns = 0;
  uint64_t count = 0;
  GroupTurns own_line = turns_of(jobs, job.ready_group);
  auto own_turn = own_line.next();
  for (; !own_turn->has(jobs, slot); own_turn = own_line.next()) {
    ++own_turns;
    count += own_turn->jobs;
    if (count >= most) return most;
  }
  const uint64_t clock = groups_->clock(own.rank);
  const auto time_of = [clock](const FairGroup& group, uint64_t turn) {
    return turn == 0 ? group.time : std::max(group.time, clock) + turn * group.step;
  };
  const uint64_t time = time_of(own, own_turns);
  // Those of its batch stand right before it.
  for (Slot at = slot; jobs.ready_seq(at) != own_turn->ready_seq; at = jobs[at].line_prev) ++count;
  groups_->for_each([&](GroupNo number, const FairGroup& other) {
    if (number == job.ready_group || other.rank != own.rank || other.time > time) return;
    const uint64_t later = std::max(other.time, clock);
    uint64_t turns = other.time < time ? 1 : 0;  // at earlier times
    if (later < time) turns += (time - later - 1) / other.step;
    const bool tie = time_of(other, turns) == time;
    GroupTurns line = turns_of(jobs, number);
    for (uint64_t turn = 0; turn <= turns && count < most; ++turn) {
      const auto next = line.next();
      if (!next || (turn == turns && !(tie && next->ready_seq < own_turn->ready_seq))) break;
      count += next->jobs;
    }
  });
  return count;
}

GroupTurns ReadyQueue::turns_of(const JobTable& jobs, GroupNo number) const {
  const FairGroup& group = (*groups_)[number];
  std::vector<const ReadyLine*> lines;
  for (const uint32_t index : group.lines)
    lines.push_back(lines_[index].by_rank[group.rank].fair->line_of(number));
  return {jobs, lines};
}

}  // namespace pqd
