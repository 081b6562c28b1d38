// Read-only answers from the live state. Called between turns by the broker's thread.
#pragma once

#include <optional>

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
// Degraded: a queue over 90 % of its depth, or its oldest ready job older than half its timeout with nobody
// to take it.
HealthInfo health_info(const State& state, const Recent& recent);

}  // namespace pqd
