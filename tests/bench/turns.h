// Lines of a comparison measured in turns: each once, then each once more. A virtual machine whose CPUs move,
// or whose neighbours begin to work, changes for all of them, and not between one line and the next.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/bench/comparison.h"
#include "tests/bench/plan.h"

namespace pqd::bench {

struct Contender {
  Line line;
  // Adds figures to its line; "" or why it could not.
  std::function<std::string(Line&)> once;
};

enum class Distance : uint8_t { kUntold, kTold };

// As many turns as the plan has repeats; the lines in the order given. Who could not once has no further
// turn. `distance`: each line says how far the two CPUs were from each other before its turns.
std::vector<Line> measure_in_turns(const Plan& plan, std::vector<Contender> contenders,
                                   Distance distance = Distance::kUntold);

}  // namespace pqd::bench
