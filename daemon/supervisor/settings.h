// What the configuration file says to the supervisor, and the text that the engine gets. The table [daemon]
// is the supervisor's; the others are carried to the engine, which knows what they mean.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "daemon/loop/event_loop.h"

namespace pqd {

struct Settings {
  std::string state_dir = "/var/lib/pqd";
  std::string socket = "/run/pqd/pqd.sock";
  uint32_t sessions_max = 1024;
  uint64_t session_memory_bytes = 4ull << 30;  // of all sessions together
  uint32_t max_payload_bytes = 256u << 10;
  BackendChoice event_loop = BackendChoice::kAuto;
  std::string log_level = "info";
};

inline constexpr char kSystemConfig[] = "/etc/pqd/pqd.toml";

class Configuration {
 public:
  // An empty path: nothing but defaults. The error is one line a fault, each "file:line:column: what is
  // wrong".
  static std::expected<Configuration, std::vector<std::string>> load(const std::string& path);

  Settings settings;

  // For the engine: the file with every setting of [daemon] as it is in `settings` now.
  std::string toml() const;

 private:
  std::string text_;
};

}  // namespace pqd
