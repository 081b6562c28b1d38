// Bits flip in the files of a store: each flip is noticed or does nothing.
#include "tests/crash/bit_flips.h"

#include <gtest/gtest.h>

namespace pqd::test {
namespace {

class BitFlipSeeds : public ::testing::TestWithParam<uint64_t> {};

TEST_P(BitFlipSeeds, AreRefusedOrHarmlessAndNeverServed) {
  const BitFlipReport report = flip_bits({.life = {.seed = GetParam(), .commits = 200}, .flips = 80});
  EXPECT_EQ(report.total().served, 0u) << report.first_failure;
  EXPECT_EQ(report.total().unnamed, 0u) << report.first_failure;
  EXPECT_EQ(report.total().wrecked, 0u) << report.first_failure;
  EXPECT_GT(report.total().refused, 0u);
  for (const char* kind : {"CURRENT", "MANIFEST"})
    EXPECT_EQ(report.kinds.at(kind).whole, report.kinds.at(kind).refused)
        << "nothing is lost with a " << kind;
  EXPECT_GT(report.total().harmless, 0u);
  for (const char* kind : {"table", "log", "MANIFEST", "CURRENT", "format", "witness"})
    EXPECT_GT(report.kinds.at(kind).flips, 0u) << kind;
}
INSTANTIATE_TEST_SUITE_P(Seeds, BitFlipSeeds, ::testing::Range<uint64_t>(1, 4));

TEST(BitFlips, AreAsManyAsWereAskedForEvenIfThereAreMoreKindsOfFiles) {
  for (const uint64_t flips : {1u, 5u, 9u}) {
    const BitFlipReport report = flip_bits({.life = {.seed = flips, .commits = 20}, .flips = flips});
    EXPECT_EQ(report.total().flips, flips) << report.first_failure;
  }
}

// The rig must see what it is there for.
TEST(BitFlipCanary, CutHistoryThatNobodyWitnessedIsFound) {
  const BitFlipReport report =
      flip_bits({.life = {.seed = 1, .commits = 60}, .flips = 120, .witnessed = false});
  EXPECT_GT(report.kinds.at("log").served, 0u);
  EXPECT_NE(report.first_failure.find("was acknowledged"), std::string::npos) << report.first_failure;
}

}  // namespace
}  // namespace pqd::test
