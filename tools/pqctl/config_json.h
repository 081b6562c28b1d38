// The configuration as JSON: tables and keys as in TOML, bytes as numbers, durations as texts with a unit.
#pragma once

#include <boost/json/object.hpp>

#include "daemon/config/config.h"

namespace pqd::ctl {

boost::json::object config_json(const Config& config);

}  // namespace pqd::ctl
