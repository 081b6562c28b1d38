// Finds out why a job is where it is. Read-only, by the thread that owns the state.
#pragma once

#include "core/explanation.h"
#include "core/job_filter.h"
#include "core/state.h"

namespace pqd {

// REQUIRES: the asker may see the job. Of others that it waits for it is told how many, and names none that
// it may not see.
Explanation explain(const State& state, Slot slot, const Asker& asker);
// A finished job that is no longer in memory.
Explanation explain_finished(const JobCore& job, const Tables& tables);

}  // namespace pqd
