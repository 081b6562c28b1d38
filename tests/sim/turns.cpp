#include "tests/sim/turns.h"

#include <algorithm>

namespace pqd::sim {

void Turns::guard_changed(uint32_t guard) {
  guard_counts_.clear();
  for (uint32_t count = 0; count < guard; ++count) guard_counts_.insert(count);
}

void Turns::restarted(uint32_t guard) {
  guard_changed(guard);
  every_type_last_ = {false, true};
  last_.clear();
  exhausted_at_.clear();
}

bool Turns::dispatched(uint32_t guard, bool best, bool longest) {
  if (guard == 0) return best;
  std::set<uint32_t> possible;
  for (const uint32_t count : guard_counts_) {
    const bool guards = count + 1 == guard;
    if (guards ? longest : best) possible.insert(guards ? 0 : count + 1);
  }
  guard_counts_ = std::move(possible);
  return !guard_counts_.empty();
}

std::string Turns::took(const std::string& type, const Taker& taker, const std::vector<Taker>& able) {
  const auto of_every_type = [](const Taker& other) { return other.every_type; };
  const bool both = std::ranges::any_of(able, of_every_type) && !std::ranges::all_of(able, of_every_type);
  std::set<bool> possible;
  for (const bool last : every_type_last_)
    if (!both || taker.every_type != last) possible.insert(!last);
  every_type_last_ = std::move(possible);
  if (every_type_last_.empty())
    return "those who take one type and those who take every type did not alternate";
  ++grants_;
  const std::string ring = taker.every_type ? "" : type;
  const auto before = last_.find({ring, taker});
  if (before != last_.end()) {
    for (const Taker& other : able) {
      if (other.every_type != taker.every_type || other == taker) continue;
      const auto spent = exhausted_at_.find(other);
      if (spent != exhausted_at_.end() && spent->second >= before->second) continue;
      const auto had = last_.find({ring, other});
      if (had == last_.end() || had->second < before->second) return "one consumer had two turns in a round";
    }
  }
  last_[{ring, taker}] = grants_;
  return {};
}

}  // namespace pqd::sim
