// Which jobs live, by the journal alone: what came in and has not ended. The rows of live jobs must be those.
// Private to daemon/store.
#pragma once

#include <unordered_set>

#include "core/event_codec.h"
#include "core/event_jobs.h"
#include "core/journal_entry.h"

namespace pqd {

class LiveNumbers {
 public:
  // False: an event of it cannot be read; those before it were taken.
  bool take(const EntryView& entry) {
    ByteReader reader(entry.events);
    for (uint32_t i = 0; i < entry.head.event_count; ++i)
      if (!decode_event(reader, [this](const auto& event) { take(event); })) return false;
    return reader.remaining() == 0;
  }
  const std::unordered_set<JobNo>& numbers() const { return numbers_; }

 private:
  template <class Event>
  void take(const Event& /*of no life and no death*/) {}
  void take(const Submitted& e) { numbers_.insert(e.job); }
  void take(const Redriven& e) { numbers_.insert(e.job); }
  void take(const ParkRefused& e) { numbers_.erase(e.job); }
  void take(const Completed& e) { numbers_.erase(e.job); }
  void take(const Failed& e) { numbers_.erase(e.job); }
  void take(const TimedOut& e) { numbers_.erase(e.job); }
  void take(const Cancelled& e) { numbers_.erase(e.job); }

  std::unordered_set<JobNo> numbers_;
};

// Whether the entry's events need one of these jobs.
inline bool needs_any(const EntryView& entry, const std::unordered_set<JobNo>& jobs) {
  bool any = false;
  ByteReader reader(entry.events);
  const auto look = [&](const auto& event) {
    any |= !all_jobs_needed(event, [&jobs](JobNo job) { return !jobs.contains(job); });
  };
  while (!any && reader.remaining() > 0 && decode_event(reader, look)) {
  }
  return any;
}

}  // namespace pqd
