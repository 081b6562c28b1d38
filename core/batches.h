// Batches of one queue: jobs of a type that collect until there are enough of them or the first has waited
// long enough, and the batches that are in hand. Belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>

#include "core/job_table.h"

namespace pqd {

// The collecting jobs of one queue and type, in the order in which they came to collect.
using CollectingLine = std::map<uint64_t, Slot>;  // by ready_seq

class Collecting {
 public:
  void add(TypeNo type, uint64_t ready_seq, Slot slot) {
    lines_[type].emplace(ready_seq, slot);
    ++size_;
  }
  void remove(TypeNo type, uint64_t ready_seq) {
    const auto line = lines_.find(type);
    line->second.erase(ready_seq);
    if (line->second.empty()) lines_.erase(line);
    --size_;
  }
  size_t size() const { return size_; }
  // Only types that have one.
  const std::map<TypeNo, CollectingLine>& lines() const { return lines_; }

 private:
  std::map<TypeNo, CollectingLine> lines_;
  size_t size_ = 0;
};

// How many jobs of each batch are in hand: a batch counts once, from its first job to its last.
class BatchesInHand {
 public:
  // True when it is the batch's first.
  bool take(uint64_t batch) { return ++jobs_[batch] == 1; }
  // True when it was the batch's last. REQUIRES: one was taken.
  bool give_back(uint64_t batch) {
    const auto found = jobs_.find(batch);
    if (--found->second != 0) return false;
    jobs_.erase(found);
    return true;
  }
  uint32_t jobs(uint64_t batch) const {
    const auto found = jobs_.find(batch);
    return found == jobs_.end() ? 0 : found->second;
  }
  size_t size() const { return jobs_.size(); }

 private:
  std::unordered_map<uint64_t, uint32_t> jobs_;
};

}  // namespace pqd
