// A bounded part of the campaign that `tests/run crash --cycles` runs at length.
#include <gtest/gtest.h>

#include "tests/crash/cycles.h"

namespace pqd::test {
namespace {

TEST(Cycles, OfFaultsUnderLoadLoseNothingAndRepeatNothing) {
  const CycleReport report =
      run_cycles({.seed = 1, .cycles = 100, .cycles_judged = 20, .budget = std::chrono::seconds(40)});
  EXPECT_EQ(report.broken, std::vector<std::string>());
  EXPECT_GT(report.cycles, 0u);
  EXPECT_GT(report.figures.acknowledged, report.cycles * 20);
  std::printf("%lu cycles, %lu jobs acknowledged\n", report.cycles, report.figures.acknowledged);
}

TEST(Cycles, OfADaemonWithPartitionsLoseNothingInAnyAndRepeatNothing) {
  const CycleReport report = run_cycles(
      {.seed = 3, .cycles = 60, .cycles_judged = 20, .budget = std::chrono::seconds(40), .partitions = 2});
  EXPECT_EQ(report.broken, std::vector<std::string>());
  EXPECT_GT(report.figures.acknowledged, report.cycles * 40) << "in each of them";
  std::printf("%lu cycles, %lu jobs acknowledged\n", report.cycles, report.figures.acknowledged);
}

TEST(Cycles, WhereSessionsAreKeptLoseNothingAndRepeatNothing) {
  const CycleReport report = run_cycles({.seed = 2,
                                         .cycles = 100,
                                         .cycles_judged = 20,
                                         .budget = std::chrono::seconds(40),
                                         .descriptors_kept = true});
  EXPECT_EQ(report.broken, std::vector<std::string>());
  EXPECT_GT(report.figures.acknowledged, report.cycles * 20);
  // Who was killed came back under another session; who was not, kept its own.
  EXPECT_EQ(report.figures.sent_again, 0u);
  std::printf("%lu cycles, %lu jobs acknowledged\n", report.cycles, report.figures.acknowledged);
}

}  // namespace
}  // namespace pqd::test
