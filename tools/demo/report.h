// The table that a run ends with, and the one line that says whether all is well.
#pragma once

#include <string>

#include "tools/demo/verdict.h"
#include "tools/pqctl/colour.h"

namespace pqd::demo {

// What was done to the processes, on the wall clock that jobs are dated by.
struct Kills {
  TimeNs engine_ns = 0;
  TimeNs consumer_ns = 0;
};

std::string render_table(const Verdict& verdict, const Tally& tally, const KnownJobs& jobs,
                         const Kills& kills);
std::string render_verdict(const Verdict& verdict, const ctl::Colour& colour);

}  // namespace pqd::demo
