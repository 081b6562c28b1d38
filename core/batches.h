// Batches of one queue: jobs of a type that collect until there are enough of them or the first has waited
// long enough, and the batches that are in hand. Belongs to one thread.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/job_table.h"

namespace pqd {

// Which jobs collect together. Those of durability `memory` do so among themselves, because a commit can tell
// of the others only; in a queue that is fair each group does, because a batch takes one turn.
struct CollectingKey {
  TypeNo type = 0;
  bool memory = false;
  std::string group;

  auto operator<=>(const CollectingKey&) const = default;
};

// The jobs that collect together, in the order in which they came to it.
using CollectingLine = std::map<uint64_t, Slot>;  // by ready_seq

class Collecting {
 public:
  void add(const CollectingKey& key, uint64_t ready_seq, Slot slot) {
    lines_[key].emplace(ready_seq, slot);
    grown_.insert(key);
    ++size_;
  }
  void remove(const CollectingKey& key, uint64_t ready_seq) {
    const auto line = lines_.find(key);
    line->second.erase(ready_seq);
    if (line->second.empty()) lines_.erase(line);
    --size_;
  }
  // The lines to which jobs came since, which may have left them again; the list starts anew.
  std::set<CollectingKey> take_grown() { return std::exchange(grown_, {}); }
  // The jobs go by other keys now: calls key_of(slot) for each.
  template <class KeyOf>
  void regroup(KeyOf&& key_of) {
    for (const auto& [old_key, line] : std::exchange(lines_, {})) {
      for (const auto& [ready_seq, slot] : line) {
        --size_;
        add(key_of(slot), ready_seq, slot);
      }
    }
  }

  size_t size() const { return size_; }
  // Only those that have jobs.
  const std::map<CollectingKey, CollectingLine>& lines() const { return lines_; }

 private:
  std::map<CollectingKey, CollectingLine> lines_;
  std::set<CollectingKey> grown_;
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
