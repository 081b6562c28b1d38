// `crash --pause`: what a death of the engine and a start cost with very many live jobs, as a program.
#pragma once

#include <string>

#include "tests/crash/pauses.h"

namespace pqd::test {

struct PauseOrder {
  PausePlan plan{.kills = 0};  // 0 kills = none are asked for
  std::string figures_file;    // a page with the marks that the figures go between; "" = none
};

std::string figures_of(const PausePlan& plan, const PauseReport& report);

// Prints the figures. The exit status: 1 when a client did not carry on.
int run_pause_campaign(const PauseOrder& order);

}  // namespace pqd::test
