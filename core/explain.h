// Finds out why a job is where it is. Read-only, by the thread that owns the state.
#pragma once

#include "core/explanation.h"
#include "core/state.h"

namespace pqd {

Explanation explain(const State& state, Slot slot);
// A finished job that is no longer in memory.
Explanation explain_finished(const JobCore& job, const Tables& tables);

}  // namespace pqd
