// Where the daemon that is meant keeps its store.
#pragma once

#include <string>

#include "daemon/config/config.h"
#include "tools/pqctl/doctor.h"

namespace pqd::ctl {

// A private daemon (`pqd --dev`) keeps its state beside its socket; any other's is in the configuration.
std::string state_directory(const DaemonConfig& config, const DaemonTrace& daemon);

}  // namespace pqd::ctl
