// The JSON of figures: the keys are a contract, see README.md.
#pragma once

#include <boost/json/object.hpp>
#include <span>

#include "core/metrics_info.h"

namespace pqd::ctl {

// One queue, one type, or all, by its own.
boost::json::object metrics_json(const MetricsInfo& info);
// The sum of all, with what is known by status, by type and by queue. `parts` as Client::metrics() has them.
boost::json::object detailed_metrics_json(std::span<const MetricsInfo> parts);

}  // namespace pqd::ctl
