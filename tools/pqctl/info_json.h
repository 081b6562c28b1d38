// The JSON of jobs, queues and health: the keys are a contract, see README.md.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "core/info.h"

namespace pqd::ctl {

boost::json::object job_json(const JobInfo& job);
boost::json::object queue_json(const QueueInfo& queue);
boost::json::object health_json(const HealthInfo& health);

std::string_view health_status(const HealthInfo& health);
// Failed of all that finished within the last hour, 0..1.
double failure_rate(const HealthInfo& health);
// Used of all queues' max_depth together, 0..1.
double capacity_utilization(const HealthInfo& health);

}  // namespace pqd::ctl
