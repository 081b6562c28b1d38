// The lines behind the ordering keys of one queue: jobs with one key in the order of their arrival, of which
// only the first may run, retries included. A job stands in its line from its arrival, also while it waits
// for room, until it is finished for good. Belongs to one thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/job_table.h"

namespace pqd {

class KeyLines {
 public:
  void add(std::string_view key, JobNo job, Slot slot) { line_.emplace(Place{key, arrival(job)}, slot); }
  // The job that may run now, if the one that left was the first; kNoSlot when the line is empty.
  Slot remove(std::string_view key, JobNo job) {
    line_.erase(Place{key, arrival(job)});
    return first(key);
  }
  // kNoSlot when nobody has this key.
  Slot first(std::string_view key) const {
    const auto found = line_.lower_bound(Place{key, 0});
    return found != line_.end() && found->first.first == key ? found->second : kNoSlot;
  }
  // kNoSlot when nobody has this key.
  Slot last(std::string_view key) const {
    const auto after = line_.lower_bound(Place{key, UINT64_MAX});
    if (after == line_.begin()) return kNoSlot;
    const auto found = std::prev(after);
    return found->first.first == key ? found->second : kNoSlot;
  }
  // The one just before this job in its key's line; kNoSlot = it is the first. REQUIRES: the job is in it.
  Slot before(std::string_view key, JobNo job) const {
    const auto found = line_.find(Place{key, arrival(job)});
    if (found == line_.begin()) return kNoSlot;
    const auto previous = std::prev(found);
    return previous->first.first == key ? previous->second : kNoSlot;
  }
  // The one just behind this place; kNoSlot = there is none. The job itself may have left.
  Slot after(std::string_view key, JobNo job) const {
    const auto found = line_.upper_bound(Place{key, arrival(job)});
    return found != line_.end() && found->first.first == key ? found->second : kNoSlot;
  }
  // Jobs of the key before this one; counting stops at `most`.
  uint64_t count_before(std::string_view key, JobNo job, uint64_t most) const {
    uint64_t count = 0;
    for (auto at = line_.lower_bound(Place{key, 0}); at != line_.end() && count < most; ++at, ++count)
      if (at->first.first != key || at->first.second >= arrival(job)) break;
    return count;
  }
  size_t size() const { return line_.size(); }

  // In order of key and arrival.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [place, slot] : line_) f(std::string_view(place.first), slot);
  }

 private:
  using Place = std::pair<std::string, uint64_t>;  // key, arrival

  std::map<Place, Slot> line_;
};

}  // namespace pqd
