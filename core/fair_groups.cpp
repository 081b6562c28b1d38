#include "core/fair_groups.h"

#include <algorithm>

#include "core/canary.h"

namespace pqd {

GroupNo FairGroups::enter(uint8_t rank, const std::string& name) {
  const auto [found, fresh] = by_name_.try_emplace(Key{rank, name}, GroupNo{0});
  if (fresh) {
    if (free_.empty()) {
      free_.push_back(static_cast<GroupNo>(groups_.size()));
      groups_.emplace_back();
    }
    found->second = free_.back();
    free_.pop_back();
    const auto weight = weights_.find(name);
    const uint64_t step = kTurn / (weight == weights_.end() ? 1 : weight->second);
    groups_[found->second] = {name, rank, step, clocks_[rank] + step, 0, {}};
  }
  ++groups_[found->second].jobs;
  return found->second;
}

void FairGroups::leave(GroupNo group) {
  FairGroup& left = groups_[group];
  if (--left.jobs != 0) return;
  by_name_.erase(Key{left.rank, left.name});
  left = {};
  free_.push_back(group);
}

void FairGroups::pass(GroupNo group) {
  FairGroup& passed = groups_[group];
  uint64_t& clock = clocks_[passed.rank];
  clock = std::max(clock, passed.time);
  // One that nobody wanted for a while has a time of long ago: it does not get all those turns back.
  passed.time = PQD_CANARY("turn-not-passed-on") ? passed.time : clock + passed.step;
}

}  // namespace pqd
