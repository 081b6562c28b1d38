// What a supervisor is to do, decided by main (or a test) before it is made.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/access.h"
#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/restart_backoff.h"

namespace pqd {

struct SupervisorOptions {
  std::string state_dir;
  std::string socket_path;     // its directory is made if it is missing
  std::string engine_library;  // the file that is loaded into the engine's process
  std::string config_toml;     // handed to the engine as it is

  AccessRules access;  // who gets in

  uint32_t partitions = 1;
  uint32_t sessions_max = 1024;
  uint32_t user_sessions_max = 256;             // of one user that is neither root nor the daemon's
  uint64_t memory_bytes_max = 4ull << 30;       // of the files of all sessions
  uint64_t user_memory_bytes_max = 2ull << 30;  // of those of one such user
  uint32_t max_payload_bytes = 256u << 10;
  // What fits into every consumer's ring. Supervisor::create() sets it: see largest_payload.h.
  uint32_t delivered_payload_bytes = max_payload_bytes;

  BackendChoice event_loop = BackendChoice::kAuto;
  BackoffLimits engine_backoff;
  int64_t hello_timeout_ns = 5'000'000'000;
  int64_t stop_timeout_ns = 30'000'000'000;

  std::function<void()> on_ready;   // once, when the first engine serves
  std::function<void()> on_reload;  // at each SIGHUP
};

}  // namespace pqd
