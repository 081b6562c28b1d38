#include "core/recent.h"

#include <gtest/gtest.h>

namespace pqd {
namespace {

constexpr TimeNs kNow = 1'000'000 * kSecondNs;
constexpr int64_t kDay = 24 * 3600 * kSecondNs;

TEST(RecentTest, KeepsTheSumOfManyLongTimes) {
  constexpr int kJobs = 200'000;
  Recent recent;
  for (int job = 0; job < kJobs; ++job) {
    recent.waited(kNow, 30 * kDay);
    recent.completed(kNow + 60 * kSecondNs, kDay);
  }
  const RecentFigures figures = recent.last_hour(kNow + 60 * kSecondNs);
  EXPECT_NEAR(figures.wait_ns / kJobs, 30.0 * kDay, 1e6);
  EXPECT_NEAR(figures.processing_ns / kJobs, 1.0 * kDay, 1e6);
}

TEST(RecentTest, ForgetsWhatIsMoreThanAnHourOld) {
  Recent recent;
  recent.waited(kNow, kDay);
  recent.completed(kNow, kDay);
  recent.failed(kNow);
  EXPECT_EQ(recent.last_hour(kNow + 59 * 60 * kSecondNs).waits, 1u);
  const RecentFigures later = recent.last_hour(kNow + 60 * 60 * kSecondNs);
  EXPECT_EQ(later.waits + later.completed + later.failed, 0u);
  EXPECT_EQ(later.wait_ns + later.processing_ns, 0);
}

}  // namespace
}  // namespace pqd
