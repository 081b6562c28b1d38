#include "tests/sim/watch_judge.h"

#include "core/changes.h"

namespace pqd::sim {

WatchJudge::WatchJudge(const WatchView& view, const Watcher& watcher, const std::deque<Change>& before,
                       uint64_t done, size_t line, const State& state)
    : head_(view.head), queue_(view.queue), type_(view.type), watcher_(watcher), line_(line) {
  // So many of the latest that are remembered, those of commits under way only for who stays to be told.
  const size_t kept = std::min(before.size(), Changes::kKept);
  for (auto at = before.end() - static_cast<std::ptrdiff_t>(kept); at != before.end(); ++at)
    if (head_.last > 0 && (head_.follow != 0 || at->commit <= done) && wants(*at, state))
      expected_.push_back(*at);
  while (expected_.size() > head_.last) expected_.pop_front();
  first_word_ = head_.follow != 0;
}

bool WatchJudge::wants(const Change& change, const State& state) const {
  const bool may_see = watcher_.sees_all || change.owner_uid == watcher_.uid ||
                       (change.holder != 0 && change.holder == watcher_.session);
  return may_see && (head_.job == JobId{} || head_.job == change.id) &&
         (head_.owner_uid == kEverybody || head_.owner_uid == change.owner_uid) &&
         (head_.states == 0 || (head_.states & (1u << static_cast<unsigned>(change.state))) != 0) &&
         (queue_.empty() || state.tables.queue(change.queue).name == queue_) &&
         (type_.empty() || state.tables.type(change.type) == type_);
}

void WatchJudge::happened(const Change& change, const State& state) {
  if (head_.follow != 0 && wants(change, state)) expected_.push_back(change);
}

uint64_t WatchJudge::told(const JobEvent& event, const State& state) {
  const auto same = [&](bool holds, const auto&... what) {
    require(holds, "the watch of session ", watcher_.session, " is told ", what...);
  };
  if (std::exchange(first_word_, false)) {
    const bool again = (head_.head.flags & kFlagResubmitted) != 0;
    same(event.kind == (again ? ChangeKind::kGap : ChangeKind::kWatching) && event.lost == 0 &&
             event.interrupted == again,
         "first that it is ", change_name(event.kind));
    return 0;
  }
  if (event.kind == ChangeKind::kGap) {
    same(event.lost > 0 && event.lost <= expected_.size() && !event.interrupted, "of a gap of ", event.lost,
         " changes where ", expected_.size(), " were not told yet");
    // Its first word takes a place, too.
    same(number_ + 1 >= line_, "of a gap and had room for more");
    const uint64_t commit = expected_[event.lost - 1].commit;
    expected_.erase(expected_.begin(), expected_.begin() + static_cast<std::ptrdiff_t>(event.lost));
    number_ += event.lost;
    same(event.number == number_, "of a gap that ends at change ", event.number, ", not ", number_);
    return commit;
  }
  same(!expected_.empty(), "of job ", event.id, ", ", change_name(event.kind),
       ", once more than it happened");
  const Change want = expected_.front();
  expected_.pop_front();
  same(event.id == want.id && event.kind == want.kind, "that job ", event.id, " is ", change_name(event.kind),
       " where job ", want.id, " is ", change_name(want.kind));
  ++number_;
  same(event.number == number_, "of job ", event.id, " as number ", event.number, ", not ", number_);
  same(event.state == want.state && event.attempt == want.attempt && event.reason == want.reason &&
           event.progress == want.progress && event.when_ns == want.when_ns &&
           event.owner_uid == want.owner_uid && event.queue == state.tables.queue(want.queue).name &&
           event.type == state.tables.type(want.type),
       "of job ", event.id, ", ", change_name(event.kind), ", something else than what happened");
  return want.commit;
}

void WatchJudge::ended() const {
  require(head_.follow == 0 && expected_.empty(), "the watch of session ", watcher_.session,
          " is over, and was not told of ", expected_.size(), " changes");
}

void WatchJudge::demand_all_told() const {
  require(expected_.empty() && !first_word_, "the watch of session ", watcher_.session, " is not told of ",
          expected_.size(), " changes");
}

}  // namespace pqd::sim
