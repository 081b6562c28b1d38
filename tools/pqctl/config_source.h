// Which configuration is meant.
#pragma once

#include <string>

namespace pqd::ctl {

// `wanted` if given, else the system's file if it is there, else "" for the defaults.
std::string config_path(const std::string& wanted);

}  // namespace pqd::ctl
