// When a schedule runs next. A schedule follows its zone's clocks, and these are moved:
//
// - A local time that the clocks jump over: the run is at the first instant after the jump. Several that are
//   jumped over by one change, or that fall onto this instant anyhow, are one run.
// - A local time that they show twice: the run is at the first of the two.
// - A schedule whose hour field begins with * follows the clock as it is shown: what is jumped over does not
//   happen, what is shown twice happens twice. So "every hour" stays every hour.
// - @every knows no clock: it counts elapsed time.
//
// Pure; any thread.
#pragma once

#include <optional>

#include "core/cron_spec.h"
#include "core/job.h"
#include "core/zone_rules.h"

namespace pqd {

// The first run after `after_ns`, a whole second; nothing when there is none before the year 2255.
// `anchor_ns`: for @every, a run of the schedule, or the time that it was set at.
std::optional<TimeNs> next_after(const CronSpec& spec, const ZoneRules& zone, TimeNs after_ns,
                                 TimeNs anchor_ns);

}  // namespace pqd
