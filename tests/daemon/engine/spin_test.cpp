#include "daemon/engine/spin.h"

#include <gtest/gtest.h>

namespace pqd {
namespace {

constexpr int64_t kMostNs = 50'000;

// Work, and then none until the worker sleeps. How many looks that took, one each 10 us.
int look_in_vain(Spin& spin, int64_t& now_ns) {
  spin.worked(now_ns);
  int looks = 0;
  for (; spin.goes_on(now_ns); now_ns += 10'000) ++looks;
  return looks;
}

// Work, and more of it at the look of that number.
void find_at(Spin& spin, int look, int64_t& now_ns) {
  spin.worked(now_ns);
  for (int i = 0; i < look; ++i) ASSERT_TRUE(spin.goes_on(now_ns += 10'000)) << i;
  spin.worked(now_ns);
}

TEST(Spin, IsNotUsualWhereWorkersWouldTakeAllCpusOrAllButOne) {
  EXPECT_EQ(spin_us_for(1, 1), 0u);
  EXPECT_EQ(spin_us_for(2, 1), 0u);
  EXPECT_EQ(spin_us_for(3, 1), 50u);
  EXPECT_EQ(spin_us_for(5, 4), 0u);
  EXPECT_EQ(spin_us_for(6, 4), 50u);
}

TEST(Spin, LooksForSoLongAfterWorkAndThenSleeps) {
  Spin spin(kMostNs);
  spin.worked(1'000);
  EXPECT_TRUE(spin.goes_on(1'000));
  EXPECT_TRUE(spin.goes_on(50'999));
  EXPECT_FALSE(spin.goes_on(51'000));
  EXPECT_FALSE(spin.goes_on(51'001)) << "until there is work again";
}

TEST(Spin, LooksAnewFromEachWorkOn) {
  Spin spin(kMostNs);
  spin.worked(0);
  EXPECT_TRUE(spin.goes_on(40'000));
  spin.worked(40'000);
  EXPECT_TRUE(spin.goes_on(89'999));
  EXPECT_FALSE(spin.goes_on(90'000));
}

TEST(Spin, NeverLooksWithoutWork) {
  Spin spin(kMostNs);
  EXPECT_FALSE(spin.goes_on(0));
  int64_t now_ns = 0;
  look_in_vain(spin, now_ns);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(spin.goes_on(now_ns += 1'000'000'000));
}

TEST(Spin, OfNoLengthNeverLooks) {
  Spin spin(0);
  EXPECT_FALSE(spin.on());
  for (int64_t now_ns = 0; now_ns < 100; ++now_ns) {
    spin.worked(now_ns);
    EXPECT_FALSE(spin.goes_on(now_ns));
  }
}

TEST(Spin, ThatDoesNotPayIsTriedNowAndThenOnly) {
  Spin spin(kMostNs);
  int64_t now_ns = 0;
  for (unsigned i = 0; i < Spin::kVainMax; ++i) EXPECT_EQ(look_in_vain(spin, now_ns), 5) << i;
  for (unsigned i = 1; i <= 10 * Spin::kTryEvery; ++i)
    EXPECT_EQ(look_in_vain(spin, now_ns), i % Spin::kTryEvery == 0 ? 5 : 0) << i;
}

TEST(Spin, ThatPaysAgainIsTakenUpAgain) {
  Spin spin(kMostNs);
  int64_t now_ns = 0;
  for (unsigned i = 0; i < Spin::kVainMax + Spin::kTryEvery - 1; ++i) look_in_vain(spin, now_ns);
  find_at(spin, 2, now_ns);
  for (unsigned i = 0; i < Spin::kVainMax; ++i) EXPECT_EQ(look_in_vain(spin, now_ns), 5) << i;
  EXPECT_EQ(look_in_vain(spin, now_ns), 0);
}

TEST(Spin, DoesNotPayForWhatTheLookBeforeASleepWouldHaveFound) {
  Spin spin(kMostNs);
  int64_t now_ns = 0;
  for (unsigned i = 0; i < Spin::kVainMax; ++i) {
    find_at(spin, 1, now_ns);
    look_in_vain(spin, now_ns);
  }
  EXPECT_EQ(look_in_vain(spin, now_ns), 0);
}

TEST(Spin, ThatIsPassedByDoesNotCountAsVain) {
  Spin spin(kMostNs);
  int64_t now_ns = 0;
  for (unsigned i = 0; i < Spin::kVainMax; ++i) look_in_vain(spin, now_ns);
  // Work that comes while nobody looks is found after a sleep.
  for (unsigned i = 1; i < Spin::kTryEvery; ++i) spin.worked(now_ns += 1'000);
  EXPECT_EQ(look_in_vain(spin, now_ns), 5);
}

}  // namespace
}  // namespace pqd
