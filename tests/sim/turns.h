// Judges whose turn it was in one queue: the starvation guard's count and the turns between consumers. Both
// begin anew with an engine, at a place that the rules leave open: so every place is held possible until a
// dispatch rules it out, and a dispatch that rules out the last one breaks the rule.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/job.h"

namespace pqd::sim {

struct Taker {
  SessionNo session = 0;
  uint32_t subscription = 0;
  bool every_type = false;
  friend auto operator<=>(const Taker& a, const Taker& b) {
    return std::pair(a.session, a.subscription) <=> std::pair(b.session, b.subscription);
  }
  friend bool operator==(const Taker& a, const Taker& b) { return (a <=> b) == 0; }
};

class Turns {
 public:
  // A new queue: nothing was dispatched yet.
  Turns() : guard_counts_{0}, every_type_last_{false} {}

  // Nothing is known any more.
  void restarted(uint32_t guard);
  // Another number counts from now on, from anywhere.
  void guard_changed(uint32_t guard);
  // The job that was dispatched is the `best` by rank, or the one that has been ready `longest`, or both.
  // False: at no possible count was it this one's turn.
  bool dispatched(uint32_t guard, bool best, bool longest);
  // `taker` got a job of `type`; those who could have had it are `able`. Empty, or what is wrong with it.
  std::string took(const std::string& type, const Taker& taker, const std::vector<Taker>& able);
  // This one has no credit left just now.
  void exhausted(const Taker& taker) { exhausted_at_[taker] = grants_; }
  // Somebody joined or left: the rounds begin anew.
  void members_changed() { last_.clear(); }

 private:
  std::set<uint32_t> guard_counts_;  // dispatches since the last one of the guard, modulo its number
  std::set<bool> every_type_last_;   // did the last dispatch turn to those of every type first?
  uint64_t grants_ = 0;
  std::map<std::pair<std::string, Taker>, uint64_t> last_;  // by ring, the grant that each got last
  std::map<Taker, uint64_t> exhausted_at_;
};

}  // namespace pqd::sim
