#include "daemon/engine/commit_line.h"

#include <algorithm>
#include <utility>

namespace pqd {
namespace {

// Something leaves as soon as the commit is written, synced or not.
bool awaited_when_written(const Effects& effects) {
  return std::ranges::any_of(effects.deliveries, [](const DeliveryEffect& d) { return !d.after_sync; });
}

}  // namespace

CommitLine::CommitLine(State& state, SessionPorts& ports, Committer& committer, uint64_t last)
    : state_(state),
      ports_(ports),
      committer_(committer),
      last_(last),
      handed_(last),
      progress_(committer.progress()) {}

bool CommitLine::has_room() const { return !building_ || !building_->full() || few_under_way(); }

CommitBuilder& CommitLine::open() {
  if (building_ && building_->full()) hand(true, [] {});
  if (!building_) building_.emplace(state_.blocks, ++last_, state_.now());
  return *building_;
}

bool CommitLine::hand(bool now, const std::function<void()>& news) {
  if (!has_events()) return pass_on();
  const bool full = building_->full();
  if (!now && !full && building_->can_wait()) return pass_on();
  const uint64_t under_way = handed_ - progress_.done;
  const bool soon = urgent_ || full;
  if (!now && under_way > 0 && !(soon && few_under_way())) return false;
  Commit commit = building_->close();
  building_.reset();
  handed_ = commit.number;
  if (std::exchange(urgent_, false)) hurried_ = handed_;
  const bool early = awaited_when_written(commit.effects);
  spread(commit.number, std::exchange(commit.effects, {}));
  const bool small = commit.entry->size() + commit.block_bytes->size() <= kHereMaxBytes;
  const auto look_first = [&] {
    look();
    news();
  };
  if (under_way >= kBehind) make_due_hashes(commit);
  if (under_way > 0 || !small || !committer_.commit_here(commit, early, look_first))
    committer_.hand(std::move(commit));
  return true;
}

bool CommitLine::hand_rest(const std::function<void()>& news) {
  if (!has_events()) return false;
  const bool all_written = handed_ == progress_.written;
  const bool worth_it = building_->bytes() >= kWorthBytes || awaited_when_written(building_->effects());
  if (!all_done() && !(all_written && worth_it && few_under_way())) return false;
  return hand(true, news);
}

// Turns that wrote nothing, or nothing that they depend on, may still have effects: these depend on what was
// handed over before them.
bool CommitLine::pass_on() {
  if (!building_ || building_->effects().empty()) return false;
  spread(handed_, std::exchange(building_->effects(), {}));
  return true;
}

// A session that has gone gets nothing, but its blocks are still given back.
void CommitLine::spread(uint64_t commit, const Effects& effects) {
  for (const ReceiptEffect& effect : effects.receipts)
    if (SessionPort* port = ports_.find(effect.receipt.session)) port->outbox().add(commit, effect);
  for (const DeliveryEffect& effect : effects.deliveries) {
    if (SessionPort* port = ports_.find(effect.session))
      port->outbox().add(commit, effect);
    else
      state_.blocks.drop_user(effect.record.block);
  }
  for (const CancelNotice& notice : effects.notices)
    if (SessionPort* port = ports_.find(notice.session)) port->outbox().add(commit, notice);
  for (const SessionNo session : effects.batch_ends)
    if (SessionPort* port = ports_.find(session)) port->outbox().add_batch_end(commit);
  if (!effects.changes.empty()) {
    for (SessionPort* port : ports_.all()) port->outbox().watches().offer(effects.changes, state_.tables);
  }
  for (const LaneEffect& effect : effects.lanes)
    if (SessionPort* port = ports_.find(effect.session)) port->outbox().add(commit, effect);
}

bool CommitLine::look() {
  const Progress now = committer_.progress();
  if (now == progress_) return false;
  progress_ = now;
  return true;
}

}  // namespace pqd
