#include "tools/pqctl/state_directory.h"

#include <filesystem>

namespace pqd::ctl {

std::string state_directory(const DaemonConfig& config, const DaemonTrace& daemon) {
  const std::string beside = std::filesystem::path(daemon.socket).parent_path().string() + "/state";
  std::error_code ignored;
  const bool is_private =
      daemon.pid != 0 && daemon.socket != config.socket && std::filesystem::is_directory(beside, ignored);
  return is_private ? beside : config.state_dir;
}

}  // namespace pqd::ctl
