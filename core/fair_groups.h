// Whose turn it is in a queue that is fair: its ready jobs fall into groups (users or ordering keys), and the
// groups of one rank take turns. Each has a time on the rank's own clock, which counts turns: the group with
// the lowest time goes next, and then stands one turn, divided by its weight, after the clock. One that comes
// gets that place at once, so that it waits for at most one turn of each that is there, and a flood of
// newcomers keeps nobody waiting. After start-time fair queueing (Goyal, Vin, Cheng: "Start-time fair
// queueing", SIGCOMM 1996), but newcomers go to the end of the round, so that a group without jobs needs no
// memory. Belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/limits.h"
#include "core/queue_settings.h"

namespace pqd {

using GroupNo = uint32_t;
inline constexpr GroupNo kNoGroup = 0xFFFFFFFF;

struct FairGroup {
  std::string name;
  uint8_t rank = 0;
  uint64_t step = 0;            // what a turn costs
  uint64_t time = 0;            // of its next turn
  uint64_t jobs = 0;            // ready
  std::vector<uint32_t> lines;  // where it has them: numbers of the owner's
};

class FairGroups {
 public:
  // The price of a turn with weight 1: divisible by the weights up to 16.
  static constexpr uint64_t kTurn = 720'720;

  explicit FairGroups(const FairWeights& weights) : weights_(weights) {}

  // A ready job more, or less, of this group; one without jobs is forgotten.
  GroupNo enter(uint8_t rank, const std::string& name);
  void leave(GroupNo group);
  // It had its turn.
  void pass(GroupNo group);

  // The latest time at which a group of this rank has had its turn.
  uint64_t clock(uint8_t rank) const { return clocks_[rank]; }
  FairGroup& operator[](GroupNo group) { return groups_[group]; }
  const FairGroup& operator[](GroupNo group) const { return groups_[group]; }
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [key, group] : by_name_) f(group, groups_[group]);
  }

 private:
  using Key = std::pair<uint8_t, std::string>;
  struct KeyHash {
    size_t operator()(const Key& key) const { return std::hash<std::string>()(key.second) * 31 + key.first; }
  };

  FairWeights weights_;
  std::array<uint64_t, limits::kRankCount> clocks_{};
  std::unordered_map<Key, GroupNo, KeyHash> by_name_;
  std::vector<FairGroup> groups_;
  std::vector<GroupNo> free_;
};

}  // namespace pqd
