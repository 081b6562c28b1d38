// What a command learns about its job beside the payload on its standard input: PQD_JOB_ID, PQD_QUEUE,
// PQD_TYPE, PQD_ATTEMPT, PQD_MAX_ATTEMPTS, PQD_PRIORITY, PQD_MODE, and where the job has them PQD_SUBJECT,
// PQD_ORDERING_KEY, PQD_TRACEPARENT, PQD_METADATA.
#pragma once

#include <string>
#include <vector>

#include "bindings/cpp/delivered_job.h"

namespace pqd::ctl {

// Our own environment with these in it, "NAME=value" each; a value ends at its first NUL.
std::vector<std::string> job_environment(const DeliveredJob& job);

}  // namespace pqd::ctl
