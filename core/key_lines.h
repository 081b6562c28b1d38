// The lines behind the ordering keys of one queue: of the jobs with one key, first the one that has its turn
// and may run, retries included, then the others in the order of their arrival. A job stands in its line from
// its acceptance until it is finished for good. Belongs to one thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/job_table.h"

namespace pqd {

class KeyLines {
 public:
  // `held`: behind others. REQUIRES: exactly those are held that do not come to an empty line. A submit that
  // waited for room may come to a line whose first has a higher number.
  void add(std::string_view key, JobNo job, Slot slot, bool held) {
    line_.emplace(Place{key, held ? job : kTurn}, slot);
  }
  // The job is held no more. REQUIRES: the line's first, and nobody has the turn.
  void give_turn(std::string_view key, JobNo job) {
    const auto found = line_.find(Place{key, job});
    const Slot slot = found->second;
    line_.erase(found);
    line_.emplace(Place{key, kTurn}, slot);
  }
  // The job that may run now, if the one that left was the first; kNoSlot when the line is empty.
  Slot remove(std::string_view key, JobNo job, Slot slot) {
    const auto turn = line_.find(Place{key, kTurn});
    if (turn != line_.end() && turn->second == slot) {
      line_.erase(turn);
    } else {
      line_.erase(Place{key, job});
    }
    return first(key);
  }
  // kNoSlot when nobody has this key.
  Slot first(std::string_view key) const {
    const auto found = line_.lower_bound(Place{key, 0});
    return found != line_.end() && found->first.first == key ? found->second : kNoSlot;
  }
  // Jobs of the key before this held one; counting stops at `most`.
  uint64_t count_before(std::string_view key, JobNo job, uint64_t most) const {
    uint64_t count = 0;
    for (auto at = line_.lower_bound(Place{key, 0}); at != line_.end() && count < most; ++at, ++count)
      if (at->first.first != key || at->first.second >= job) break;
    return count;
  }
  size_t size() const { return line_.size(); }

  // In order of key and place, for State::check_invariants. The place is 0 for the turn, else the number.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [place, slot] : line_) f(std::string_view(place.first), place.second, slot);
  }

 private:
  using Place = std::pair<std::string, JobNo>;
  static constexpr JobNo kTurn = 0;  // before every number

  std::map<Place, Slot> line_;
};

}  // namespace pqd
