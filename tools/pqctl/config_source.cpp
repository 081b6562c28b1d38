#include "tools/pqctl/config_source.h"

#include <unistd.h>

#include "daemon/config/config.h"

namespace pqd::ctl {

std::string config_path(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  return ::access(kSystemConfig, F_OK) == 0 ? kSystemConfig : "";
}

}  // namespace pqd::ctl
