// The planted fault of this process, at most one. Those of the simulator's own glue ask planted(); those in
// core/ ask through PQD_CANARY (core/canary.h) and exist only in the copy of core that is compiled for this.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pqd::sim {

bool planted(std::string_view name);
bool planted_any();
// Plants one; empty = none. False: there is none of this name.
bool plant(const std::string& name);
// Every canary of the rig, with what is wrong then.
const std::vector<std::pair<std::string, std::string>>& canaries();

}  // namespace pqd::sim
