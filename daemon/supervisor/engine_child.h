// The engine's process from fork to its entry point. Runs in the child of the supervisor, touches nothing of
// the event loop, and leaves by _exit() alone, so that no destructor of the supervisor runs twice.
#pragma once

#include <string>
#include <vector>

#include "daemon/supervisor/engine_link.h"

namespace pqd {

struct EngineStart {
  std::string library;
  const char* config_toml = nullptr;
  std::vector<uint64_t> wake_bases;  // a partition each
  uint64_t first_session = 0;
  int lock_fd = -1;  // says that an engine of this directory lives, for as long as one does
  std::vector<SessionGrant> grants;
};

// `supervisor_pid`: who forked us; if it is dead already, so are we.
[[noreturn]] void become_engine(const EngineStart& start, int link_fd, int supervisor_pid);

}  // namespace pqd
