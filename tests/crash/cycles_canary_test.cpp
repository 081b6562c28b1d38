// A campaign that cannot see a planted fault is broken: each has to be found within a bounded run, and called
// by its name. Where the power has to be cut for it, power_cut_test has its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "tests/crash/cycles.h"

namespace pqd::test {
namespace {

struct Planted {
  const char* name;
  const char* found_as;  // what a rule says of it, a regular expression
};

class CyclesCanary : public testing::TestWithParam<Planted> {};

TEST_P(CyclesCanary, IsFoundWithinTheBoundedRun) {
  CyclePlan plan{.seed = 1, .cycles = 2'000, .budget = std::chrono::seconds(180)};
  plan.programs = PQD_BIN_DIR "/hooked";
  plan.environment = {std::string("PQD_CANARY=") + GetParam().name};
  const CycleReport report = run_cycles(plan);
  const bool found = std::ranges::any_of(report.broken, [](const std::string& rule) {
    return std::regex_search(rule, std::regex(GetParam().found_as));
  });
  EXPECT_TRUE(found) << "after " << report.cycles << " cycles; " << report.broken.size() << " rules broken"
                     << (report.broken.empty() ? "" : ": " + report.broken.front());
  std::printf("found after %lu cycles\n", report.cycles);
}

// The next engine tells whatever lies before the cursor as done: submits, settlements, and what operators
// did.
constexpr const char* kDoneAndLost =
    "was acknowledged and is lost|after its completion was acknowledged|was completed and is |"
    "was redriven and (has no new life|is still listed)|was purged and is |was reviewed and does not say so";

INSTANTIATE_TEST_SUITE_P(
    Planted, CyclesCanary,
    testing::Values(Planted{"cursor-before-commit", kDoneAndLost},
                    Planted{"stale-token-accepted", "was delivered after its completion was acknowledged"},
                    Planted{"at-most-once-redelivered", "is at-most-once and was delivered"},
                    Planted{"attempt-not-counted", "was delivered beyond its attempts"}),
    [](const auto& planted) {
      std::string name = planted.param.name;
      std::ranges::replace(name, '-', '_');
      return name;
    });

}  // namespace
}  // namespace pqd::test
