// Whom we are measured against, and where their programs are.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/plan.h"

namespace pqd::bench {

// Of those that are installed here, and of the libraries that all of it stands on.
std::vector<std::string> peer_versions(const Plan& plan);

}  // namespace pqd::bench
