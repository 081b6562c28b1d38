// When a schedule runs, written a second time: each minute after the other is looked at, until one is right.
// From "Clocks that are moved" in core/README.md. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "core/job.h"
#include "tests/sim/zones.h"

namespace pqd::sim {

struct Calendar {
  std::set<int> minutes, hours, days, months, weekdays;
  bool every_hour = false, any_day = false, any_weekday = false;
  int64_t interval_s = 0;  // @every: the fields are not there

  // Nothing: it is none that the worlds know how to read.
  static std::optional<Calendar> read(const std::string& spec);
  // `local_s`: as the clock shows it, a whole minute.
  bool matches(int64_t local_s) const;
};

// The first run after `after`; `anchor` as in next_after. Nothing: there is none within two years.
std::optional<TimeNs> next_run(const Calendar& calendar, const MovedClock& clock, TimeNs after,
                               TimeNs anchor);

}  // namespace pqd::sim
