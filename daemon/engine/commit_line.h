// The commits between the worker and the disk: the one that is being filled, and those handed to the
// committer and not done yet. While one syncs others are written and the next fills, so that the slower the
// disk, the larger they get. Belongs to the worker's thread.
#pragma once

#include <optional>

#include "core/state.h"
#include "daemon/engine/committer.h"
#include "daemon/engine/session_ports.h"

namespace pqd {

class CommitLine {
 public:
  // `last`: the number of the last commit in the store.
  CommitLine(State& state, SessionPorts& ports, Committer& committer, uint64_t last);

  // May a turn be taken now? Not while everything is full and the disk has the word.
  bool has_room() const;
  // The commit that the next turn goes into.
  CommitBuilder& open();
  // Something in the open commit should not wait until it is full.
  void hurry() { urgent_ = true; }
  // Hands the open commit over if it is worth it: the committer is idle, it is full or in a hurry and few are
  // under way, or `now`; not for events that nobody waits for, unless it is full. Its effects are on their
  // way to the outboxes then, and those that do not depend on it in any case. True when it did. A small one
  // is made durable here, when nothing else is under way; `news` is called when that has moved progress().
  bool hand(bool now, const std::function<void()>& news);
  // Before the worker sleeps, for nothing more comes now: hands over what is there, when nothing is under way,
  // or when it may be written while those before it are synced and is worth a commit. True when it did.
  bool hand_rest(const std::function<void()>& news);

  const Progress& progress() const { return progress_; }
  // Takes over how far the committer is; true when that has moved.
  bool look();
  // A commit that was in a hurry has been written since: what it lets go should not wait for a long turn.
  bool urgent_news() const { return hurried_ > progress_.written && committer_.progress().written >= hurried_; }
  // The number of the commit that was opened last.
  uint64_t latest() const { return last_; }
  // Nothing is open with something in it, nothing is under way.
  bool idle() const { return !has_events() && all_done(); }

 private:
  // Handed over and not written, and not done. A commit that is written waits for nothing but a sync, which is
  // the same for many: it holds up nobody behind it.
  static constexpr uint64_t kUnwrittenMax = 8;
  static constexpr uint64_t kUnderWayMax = 32;
  // With so many the committer is behind: what can be done for it is done here.
  static constexpr uint64_t kBehind = 2;
  // What comes while so much is written and synced would make the next commit as large or larger: worth a
  // thread of its own.
  static constexpr size_t kHereMaxBytes = 8u << 10;
  // Less is left to grow until a sync ends, if nobody waits for a delivery of it.
  static constexpr size_t kWorthBytes = 64u << 10;

  bool has_events() const { return building_ && !building_->empty(); }
  bool all_done() const { return progress_.done == handed_; }
  bool few_under_way() const {
    return handed_ - progress_.written < kUnwrittenMax && handed_ - progress_.done < kUnderWayMax;
  }
  bool pass_on();
  void spread(uint64_t commit, const Effects& effects);

  State& state_;
  SessionPorts& ports_;
  Committer& committer_;
  std::optional<CommitBuilder> building_;
  bool urgent_ = false;  // something in it is
  uint64_t last_;    // number of the open commit, or of the last one closed
  uint64_t handed_;  // number of the last one handed over
  uint64_t hurried_ = 0;  // and of the last one that was in a hurry
  Progress progress_;
};

}  // namespace pqd
