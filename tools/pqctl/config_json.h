// The configuration as JSON: tables and keys as in TOML, tables without entries among them, bytes as numbers,
// durations as texts with a unit.
#pragma once

#include <boost/json/object.hpp>

#include "daemon/config/config.h"

namespace pqd::ctl {

boost::json::object config_json(const Config& config);

}  // namespace pqd::ctl
