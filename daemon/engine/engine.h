// The engine's process from its entry to its exit status: the store, and its partitions, each on a thread of
// its own. The first one's thread is the process's own, and hears the supervisor for all.
#pragma once

#include "daemon/supervisor/engine_link.h"

namespace pqd {

// Runs until the supervisor says stop. Returns 0 or one of the kEngineExit... statuses.
int run_engine(const EngineArgs& args);

}  // namespace pqd
