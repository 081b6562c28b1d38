#include "tools/demo/figures.h"

#include <gtest/gtest.h>

namespace pqd::demo {
namespace {

TEST(Percentile, IsTheNearestRank) {
  EXPECT_EQ(percentile({5, 1, 4, 2, 3}, 50), 3);
  EXPECT_EQ(percentile({5, 1, 4, 2, 3}, 99), 5);
  EXPECT_EQ(percentile({7}, 1), 7);
  EXPECT_EQ(percentile({}, 50), 0);
  EXPECT_EQ(percentile({1, 2}, 50), 1);
}

TEST(LongestGap, IsTheOneThatOverlapsTheEvent) {
  const std::vector<int64_t> moments{50, 0, 10, 12, 14, 60};
  EXPECT_EQ(longest_gap(moments, 13, 100), 36);
  EXPECT_EQ(longest_gap(moments, 51, 100), 10);
  EXPECT_EQ(longest_gap(moments, 5, 6), 10);
  EXPECT_EQ(longest_gap({}, 5, 6), 0);
}

}  // namespace
}  // namespace pqd::demo
