// What a command learns about its work beside what is on its standard input. Of a job: PQD_JOB_ID, PQD_QUEUE,
// PQD_TYPE, PQD_ATTEMPT, PQD_MAX_ATTEMPTS, PQD_PRIORITY, PQD_MODE, and where the job has them PQD_SUBJECT,
// PQD_ORDERING_KEY, PQD_TRACEPARENT, PQD_METADATA. Of a batch: PQD_BATCH_SIZE (jobs), and PQD_QUEUE,
// PQD_TYPE, PQD_MODE, which are those of all its jobs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bindings/cpp/delivered_job.h"

namespace pqd::ctl {

// Our own environment with these in it, "NAME=value" each; a value ends at its first NUL.
std::vector<std::string> job_environment(const DeliveredJob& job);
// REQUIRES: !jobs.empty().
std::vector<std::string> batch_environment(std::span<const DeliveredJob> jobs);
// Without any: of a command whose jobs change.
std::vector<std::string> own_environment();

}  // namespace pqd::ctl
