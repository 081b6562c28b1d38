#include "tests/sim/campaign.h"

#include "tests/sim/canary.h"

namespace pqd::sim {

std::optional<std::string> run_seed(const WorldOptions& options, WorldFigures& figures) {
  try {
    World world(options);
    figures += world.run();
    return std::nullopt;
  } catch (const Fault& fault) {
    return fault.what();
  }
}

std::string replay_command(uint64_t seed) { return "tests/run sim --seed " + std::to_string(seed) + " -v"; }

}  // namespace pqd::sim
