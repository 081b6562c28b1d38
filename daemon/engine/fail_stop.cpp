#include "daemon/engine/fail_stop.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "daemon/supervisor/engine_link.h"

namespace pqd {

void fail_stop(const StoreError& error) {
  spdlog::critical("{}. Nothing more is acknowledged; the engine ends and the next one recovers", error.text);
  ::_exit(kEngineExitRestart);
}

}  // namespace pqd
