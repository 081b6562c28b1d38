// Which jobs an event is about, and which of those must be there already. Pure.
#pragma once

#include <algorithm>
#include <type_traits>

#include "core/event.h"

namespace pqd {

// Birth, and what is done to dead letters: these bring along what there is to know of the job.
template <class Event>
inline constexpr bool kBringsItsJob = std::is_same_v<Event, Submitted> || std::is_same_v<Event, Redriven> ||
                                      std::is_same_v<Event, Reviewed> || std::is_same_v<Event, Purged>;

// Whether `there` holds for every job that must be there when the event is applied.
template <class Event, class Predicate>
bool all_jobs_needed(const Event& event, Predicate there) {
  if constexpr (kBringsItsJob<Event>) return true;
  if constexpr (requires { event.jobs; }) return std::ranges::all_of(event.jobs, there);
  if constexpr (requires { event.job; }) return there(event.job);
  return true;
}

}  // namespace pqd
