// A bounded number of worlds in every run of the tests, a few seeds a case.
#include <gtest/gtest.h>

#include "tests/sim/campaign.h"

namespace pqd::sim {
namespace {

constexpr uint64_t kSeedsEach = 10;

class Worlds : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Worlds, EndAsTheyMust) {
  WorldFigures figures;
  for (uint64_t seed = GetParam() * kSeedsEach; seed < (GetParam() + 1) * kSeedsEach; ++seed) {
    SCOPED_TRACE(replay_command(seed));
    EXPECT_EQ(run_seed({seed, false, true}, figures).value_or(""), "");
  }
}

// One with thousands of programs at once.
TEST(Crowd, EndsAsItMust) {
  constexpr uint64_t kSeed = 250;
  SCOPED_TRACE(replay_command(kSeed));
  WorldFigures figures;
  EXPECT_EQ(run_seed({kSeed, false, true}, figures).value_or(""), "");
  EXPECT_GE(figures.crowd, 2'000u) << "this seed is no crowd any more";
}

INSTANTIATE_TEST_SUITE_P(Seeds, Worlds, ::testing::Range<uint64_t>(0, 20));

}  // namespace
}  // namespace pqd::sim
