#include "core/watch.h"

#include <algorithm>

#include "core/canary.h"

namespace pqd {

WatchFilter WatchFilter::of(const WatchView& view) {
  WatchFilter filter;
  filter.queue = view.queue;
  filter.type = view.type;
  if (view.head.owner_uid != kEverybody) filter.owner_uid = view.head.owner_uid;
  filter.job = view.head.job;
  filter.states = view.head.states;
  return filter;
}

bool WatchFilter::matches(const Change& change, const Tables& tables) const {
  if (!job.empty() && change.id != job) return false;
  if (owner_uid && change.owner_uid != *owner_uid) return false;
  if (states != 0 && (states >> static_cast<unsigned>(change.state) & 1) == 0) return false;
  if (!queue.empty() && tables.queue(change.queue).name != queue) return false;
  return type.empty() || tables.type(change.type) == type;
}

bool may_see(const Asker& asker, const Change& change) {
  return asker.sees_all || asker.uid == change.owner_uid ||
         (change.holder != 0 && asker.session == change.holder);
}

void Watch::begin(bool again) {
  Item item;
  item.change.kind = again ? ChangeKind::kGap : ChangeKind::kWatching;
  item.interrupted = again;
  line_.push_back(item);
}

void Watch::offer_kept(const Changes& changes, uint32_t count, uint64_t commit_max, const Tables& tables) {
  std::deque<Change> wanted;
  changes.for_each_kept([&](const Change& change) {
    if (change.commit > commit_max || !may_see(asker_, change) || !filter_.matches(change, tables)) return;
    wanted.push_back(change);
    if (wanted.size() > count) wanted.pop_front();
  });
  for (const Change& change : wanted) add(change);
  seen_ = changes.latest();
}

void Watch::offer(const Change& change, const Tables& tables) {
  if (change.seq <= seen_ || closed_) return;
  if (may_see(asker_, change) && filter_.matches(change, tables)) add(change);
}

void Watch::add(const Change& change) {
  ++number_;
  const bool gap = !line_.empty() && line_.back().change.kind == ChangeKind::kGap && line_.back().lost > 0;
  if (line_.size() < line_max_) {
    line_.push_back({change, number_, 0, false});
  } else if (gap) {
    Item& item = line_.back();
    item.change.commit = change.commit;
    item.change.when_ns = change.when_ns;
    item.number = number_;
    if (!PQD_CANARY("gap-not-counted")) ++item.lost;
  } else {
    Item item{{}, number_, 1, false};
    item.change.commit = change.commit;
    item.change.when_ns = change.when_ns;
    line_.push_back(item);
  }
}

const Watch::Item* Watch::next(uint64_t done) const {
  if (line_.empty() || line_.front().change.commit > done) return nullptr;
  return &line_.front();
}

JobEvent Watch::event_of(const Item& item, const Tables& tables) const {
  const Change& change = item.change;
  JobEvent event;
  event.kind = change.kind;
  event.number = item.number;
  event.lost = item.lost;
  event.interrupted = item.interrupted;
  event.when_ns = change.when_ns;
  if (change.kind == ChangeKind::kGap || change.kind == ChangeKind::kWatching) return event;
  event.id = change.id;
  event.queue = tables.queue(change.queue).name;
  event.type = tables.type(change.type);
  event.owner_uid = change.owner_uid;
  event.attempt = change.attempt;
  event.state = change.state;
  event.reason = change.reason;
  event.progress = change.progress;
  return event;
}

Error SessionWatches::begin(const WatchView& view, const Asker& asker, const Changes& changes, uint64_t done,
                            const Tables& tables) {
  const auto same = [&](const Watch& watch) { return watch.request() == view.head.request; };
  if (watches_.size() >= limits::kWatchesPerSessionMax || std::ranges::any_of(watches_, same))
    return Error::kInvalidRequest;
  Watch& watch = watches_.emplace_back(view, asker, line_max_);
  if (view.head.follow == 0) {
    watch.offer_kept(changes, view.head.last, done, tables);
    watch.close();
    return Error::kOk;
  }
  watch.begin((view.head.head.flags & kFlagResubmitted) != 0);
  if (view.head.last == 0)
    watch.start_behind(changes.latest());
  else
    watch.offer_kept(changes, view.head.last, UINT64_MAX, tables);
  return Error::kOk;
}

void SessionWatches::end(uint64_t request) {
  std::erase_if(watches_, [request](const Watch& watch) { return watch.request() == request; });
}

void SessionWatches::offer(std::span<const Change> changes, const Tables& tables) {
  for (Watch& watch : watches_)
    for (const Change& change : changes) watch.offer(change, tables);
}

}  // namespace pqd
