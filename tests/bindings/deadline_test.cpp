#include "bindings/cpp/deadline.h"

#include <gtest/gtest.h>

namespace pqd {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Deadline, OfNoTimeHasPassedAndLeavesNone) {
  const Deadline now = Deadline::in(milliseconds(0));
  EXPECT_TRUE(now.passed());
  EXPECT_EQ(now.left(), milliseconds(0));
  EXPECT_TRUE(earlier(Deadline::in(hours(1)), now).passed());
}

TEST(Deadline, ThatIsNeverHasNotPassed) {
  for (const milliseconds never : {milliseconds(-1), milliseconds::max()}) {
    EXPECT_FALSE(Deadline::in(never).passed());
    EXPECT_EQ(Deadline::in(never).left(), hours(1)) << "nobody sleeps longer";
    EXPECT_TRUE(earlier(Deadline::in(never), Deadline::in(milliseconds(0))).passed());
  }
}

TEST(Deadline, LeavesTheTimeUntilItComesRoundedUp) {
  const Deadline later = Deadline::in(hours(1));
  EXPECT_FALSE(later.passed());
  EXPECT_GT(later.left(), milliseconds(0));
  EXPECT_LE(later.left(), hours(1));
  EXPECT_TRUE(Deadline::at(Deadline::Clock::now() - milliseconds(1)).passed());
}

}  // namespace
}  // namespace pqd
