// Read-only answers from the live state. Called between turns by the broker's thread.
#pragma once

#include <optional>
#include <string>

#include "core/recent.h"
#include "core/state.h"

namespace pqd {

// The job as the store would keep it, payload included.
JobRow row_of(const State& state, Slot slot);
// The same by what memory has: without a record where that is away.
JobRow row_in_memory(const State& state, Slot slot);
// And without the payload, which may be large and which no list shows.
JobRow list_row_of(const State& state, Slot slot);

std::optional<JobInfo> find_job_info(const State& state, const JobId& id, bool with_payload);
QueueInfo queue_info(const State& state, QueueNo queue);
// What the daemon sees around it, in words for people; "" = all is well.
struct Surroundings {
  std::string intake_closed;  // why every submit is refused
  std::string clock_off;      // how its time differs from the system's
};

// Degraded: a queue over 90 % of its depth, with submits that wait for room, paused with jobs ready, or whose
// oldest ready job has waited for over half its timeout; a clock that is off. Unhealthy: every submit is
// refused.
HealthInfo health_info(const State& state, const Recent& recent, const Surroundings& around = {});

}  // namespace pqd
