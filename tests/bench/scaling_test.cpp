// The model of more CPUs.
#include "tests/bench/scaling.h"

#include <gtest/gtest.h>

namespace pqd::bench {
namespace {

constexpr SubmitCosts kCosts{4'000, 1'000, 1'600, 1'600'000};

TEST(Scaling, IsBoundByTheCpusWhereThereAreFew) {
  const Expected expected = expected_submits(kCosts, 2, 1);
  EXPECT_DOUBLE_EQ(expected.least(), 500'000);
  EXPECT_STREQ(expected.bound(), "the CPUs");
}

TEST(Scaling, IsBoundByTheDearerThreadOfAPartition) {
  const Expected expected = expected_submits(kCosts, 8, 1);
  EXPECT_DOUBLE_EQ(expected.least(), 625'000);
  EXPECT_STREQ(expected.bound(), "the partitions");
}

TEST(Scaling, IsBoundByTheLogThatAllShare) {
  const Expected expected = expected_submits(kCosts, 128, 32);
  EXPECT_NEAR(expected.least(), 1'354'203, 1);
  EXPECT_STREQ(expected.bound(), "the log");
}

std::vector<RowResult> measured() {
  Comparison cost{"cost", Tier::kGroupCommit};
  for (const auto& [part, ns] : {std::pair{"the whole engine", 4'000.0},
                                 {"worker, all of it", 1'000.0},
                                 {"checkpointer, all of it", 1'600.0}})
    cost.lines.emplace_back(Line{part, "", true}).add("ns/job", ns);
  Comparison submits{"submits", Tier::kGroupCommit};
  submits.lines.emplace_back(Line{"pqd", "", true}).add("jobs/s", 400'000);
  submits.lines.emplace_back(Line{"RocksDB alone", ""}).add("jobs/s", 1'600'000);
  return {{"durable-submit", {submits}}, {"cost", {cost}}};
}

TEST(Scaling, IsToldForTwoTo128CpusAndHeldAgainstWhatWasMeasured) {
  const std::string text = scaling_of(measured());
  EXPECT_EQ(std::ranges::count(text, '\n'), 1 + 1 + 7 + 1) << text;
  EXPECT_NE(text.find("     2           1       500 k             625 k    1.35 M     500 k  the CPUs\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("measured here, 2 CPUs and one partition: 400 k, 0.80 of what is expected\n"),
            std::string::npos)
      << text;
}

TEST(Scaling, IsNotToldWithoutWhatItTakes) {
  auto rows = measured();
  rows.pop_back();
  EXPECT_EQ(scaling_of(rows), "");
}

}  // namespace
}  // namespace pqd::bench
