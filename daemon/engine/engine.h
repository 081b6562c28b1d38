// The engine's process from its entry to its exit status: store, recovery, broker, committer, checkpointer
// and worker, put together and taken apart in the right order.
#pragma once

#include "daemon/supervisor/engine_link.h"

namespace pqd {

// Runs until the supervisor says stop. Returns 0 or one of the kEngineExit... statuses.
int run_engine(const EngineArgs& args);

}  // namespace pqd
