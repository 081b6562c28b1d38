// What a command of `pqctl work --batch` gets on its standard input: one JSON object a line, one line a job.
// Pure.
#pragma once

#include <span>

#include "bindings/cpp/delivered_job.h"

namespace pqd::ctl {

// `id queue type mode priority attempt max_attempts payload|payload_base64` and, where the job has them,
// `metadata subject ordering_key traceparent`, in the order of the jobs. A payload that is UTF-8 is a string,
// any other Base64 under the other key.
Bytes batch_input(std::span<const DeliveredJob> jobs);

}  // namespace pqd::ctl
