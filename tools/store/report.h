// What the commands about stores print.
#pragma once

#include <boost/json/fwd.hpp>

#include "daemon/store/store_check.h"
#include "tools/pqctl/context.h"

namespace pqd::ctl {

// Figures and remarks, then a line for each fault, with its part in front.
void print_report(Context& context, const StoreReport& report);
// `inUse starts files bytes commits lastCommit checkpoint liveJobs finishedJobs deadLetters keys faults
// remarks`; each fault has `part text`.
boost::json::object report_json(const StoreReport& report);

}  // namespace pqd::ctl
