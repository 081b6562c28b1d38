// One subscriber's view of what happens: which changes it wants and may see, in a line of bounded length. A
// subscriber that does not read loses changes and is told how many, in their place; it holds up nobody. All
// watches of a session are a SessionWatches. Pure; belongs to one thread.
#pragma once

#include <deque>
#include <span>

#include "core/changes.h"
#include "core/job_filter.h"
#include "core/limits.h"
#include "core/watch_record.h"

namespace pqd {

struct WatchFilter {
  std::string queue;  // empty = all; it need not be there yet
  std::string type;
  std::optional<uint32_t> owner_uid;
  JobId job;           // empty = all
  uint8_t states = 0;  // a bit per JobState; 0 = all

  static WatchFilter of(const WatchView& view);
  bool matches(const Change& change, const Tables& tables) const;
};

// Owners see the changes of their jobs, consumers those of jobs in their hands, operators and admins
// everything.
bool may_see(const Asker& asker, const Change& change);

class Watch {
 public:
  struct Item {
    Change change;  // of kind kGap: its commit is that of the last change that was left out
    uint64_t number = 0;
    uint64_t lost = 0;
    bool interrupted = false;
  };

  // `line_max`: changes that wait for it, at most.
  Watch(const WatchView& view, const Asker& asker, size_t line_max)
      : filter_(WatchFilter::of(view)), asker_(asker), line_max_(line_max) {
    request_ = view.head.request;
  }

  uint64_t request() const { return request_; }
  // Its first word: that it has begun, or that it was interrupted.
  void begin(bool again);
  // The latest that it may be told, `count` at most. REQUIRES: nothing was offered yet.
  void offer_kept(const Changes& changes, uint32_t count, uint64_t commit_max, const Tables& tables);
  // What happened before is not wanted.
  void start_behind(uint64_t seq) { seen_ = seq; }
  void offer(const Change& change, const Tables& tables);
  // Nothing is offered any more; it goes when its line is empty.
  void close() { closed_ = true; }

  // What may be told next when commits up to `done` are as durable as they asked for; nullptr = nothing.
  const Item* next(uint64_t done) const;
  void pop() { line_.pop_front(); }
  bool idle() const { return line_.empty() && !closed_; }
  bool over() const { return line_.empty() && closed_; }
  JobEvent event_of(const Item& item, const Tables& tables) const;

 private:
  void add(const Change& change);

  WatchFilter filter_;
  Asker asker_;
  size_t line_max_;
  uint64_t request_ = 0;
  uint64_t seen_ = 0;    // changes up to this one are not offered again
  uint64_t number_ = 0;  // of changes that it wants, told or not
  bool closed_ = false;
  std::deque<Item> line_;
};

class SessionWatches {
 public:
  // `line_max` is another one in tests only.
  explicit SessionWatches(size_t line_max = limits::kWatchLineMax) : line_max_(line_max) {}

  // kInvalidRequest: the session has as many as it may have, or one of this request.
  Error begin(const WatchView& view, const Asker& asker, const Changes& changes, uint64_t done,
              const Tables& tables);
  void end(uint64_t request);
  void offer(std::span<const Change> changes, const Tables& tables);

  // Tells what may be told: event(request, JobEvent), end(request) for one that is over. Each returns false
  // when there is no room; it is asked again then.
  template <class Tell, class End>
  void tell(uint64_t done, const Tables& tables, Tell&& event, End&& end);

  bool empty() const { return watches_.empty(); }
  bool idle() const {
    return std::ranges::all_of(watches_, [](const Watch& watch) { return watch.idle(); });
  }
  size_t count() const { return watches_.size(); }

 private:
  size_t line_max_;
  std::deque<Watch> watches_;
};

template <class Tell, class End>
void SessionWatches::tell(uint64_t done, const Tables& tables, Tell&& event, End&& end) {
  for (auto watch = watches_.begin(); watch != watches_.end();) {
    while (const Watch::Item* item = watch->next(done)) {
      if (!event(watch->request(), watch->event_of(*item, tables))) return;
      watch->pop();
    }
    if (watch->over() && !end(watch->request())) return;
    watch = watch->over() ? watches_.erase(watch) : std::next(watch);
  }
}

}  // namespace pqd
