// Runs worlds, one seed after the other, and says of a seed that failed how to see it again.
#pragma once

#include <optional>
#include <string>

#include "tests/sim/world.h"

namespace pqd::sim {

// What broke in the world of this seed; nothing when all held. Adds to the figures.
std::optional<std::string> run_seed(const WorldOptions& options, WorldFigures& figures);

// The command that shows it.
std::string replay_command(uint64_t seed);

}  // namespace pqd::sim
