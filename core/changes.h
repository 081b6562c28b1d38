// What has changed about jobs, as the broker's events say it: the latest thousand, and while somebody watches
// all of a commit. A change is noted before its event is applied, because who held a job until now is known
// only then. Not in the journal and not folded: a new engine begins with none. Belongs to one thread.
#pragma once

#include <array>
#include <optional>

#include "core/change.h"
#include "core/commit.h"
#include "core/state.h"

namespace pqd {

class Changes {
 public:
  static constexpr size_t kKept = 1'024;

  // The event that is about to be applied. It may be told with its commit; one that stands in none, when what
  // was decided before it may.
  template <class Event>
  void note(const Event& event, const State& state, CommitBuilder& commit) {
    const uint64_t told_with = commit.number() - (is_of_memory(event) ? 1 : 0);
    if constexpr (std::is_same_v<Event, BatchFormed>) {
      for (const JobNo job : event.jobs)
        if (auto change = made_ready(job, state)) keep(*change, state.now(), told_with, commit);
    } else if constexpr (requires { change_by(event, state, commit); }) {
      if (auto change = change_by(event, state, commit)) keep(*change, state.now(), told_with, commit);
    }
  }
  // While true, each change goes into its commit's effects too.
  void set_watched(bool watched) { watched_ = watched; }
  // Numbers of changes grow by one; 0 = none yet.
  uint64_t latest() const { return latest_; }
  // From the oldest that is kept.
  template <class F>
  void for_each_kept(F&& f) const {
    for (uint64_t seq = latest_ < kKept ? 1 : latest_ - kKept + 1; seq <= latest_; ++seq)
      f(kept_[seq % kKept]);
  }

 private:
  using Noted = std::optional<Change>;
  static Noted made_ready(JobNo job, const State& state);
  static Noted change_by(const Submitted& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Admitted& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const KeyTurn& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Readied& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Assigned& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Started& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Completed& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const AttemptFailed& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Failed& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const TimedOut& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Cancelled& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const CancelRequested& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Released& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Extended& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Redriven& e, const State& state, const CommitBuilder& commit);

  static Noted change_by(const Reviewed& e, const State& state, const CommitBuilder& commit);
  static Noted change_by(const Purged& e, const State& state, const CommitBuilder& commit);

  void keep(Change& change, TimeNs now, uint64_t told_with, CommitBuilder& commit);

  std::array<Change, kKept> kept_{};
  uint64_t latest_ = 0;
  bool watched_ = false;
};

}  // namespace pqd
