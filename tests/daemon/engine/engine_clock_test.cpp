#include "daemon/engine/engine_clock.h"

#include <gtest/gtest.h>
#include <time.h>

#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

TimeNs system_now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * kSecondNs + time.tv_nsec;
}

TEST(EngineClockTest, IsTheSystemsTimeWhenTheStoreIsOlder) {
  EngineClock clock(0);
  const TimeNs before = system_now();
  const TimeNs now = clock.now();
  EXPECT_NEAR(static_cast<double>(now), static_cast<double>(before), 60.0 * kSecondNs);
}

TEST(EngineClockTest, NeverGoesBehindTheLatestTimeInTheStore) {
  const TimeNs years_ahead = system_now() + 10 * 365 * 86'400 * kSecondNs;
  EngineClock clock(years_ahead);
  EXPECT_GE(clock.now(), years_ahead);
}

// A tenth of the time that passes is made up for.
TEST(EngineClockTest, ComesNearerToTheSystemsTimeHoweverFarAheadItBeganAndNeverGoesBack) {
  constexpr int64_t kYear = 365 * 86'400 * kSecondNs;
  for (const int64_t ahead : {1'800 * kSecondNs, 10 * kYear}) {
    EngineClock clock(system_now() + ahead);
    TimeNs last = 0;
    EXPECT_TRUE(eventually([&] {
      const TimeNs now = clock.now();
      EXPECT_GE(now, last);
      last = now;
      return now - system_now() < ahead - 150 * kMillisecondNs;
    }));
  }
}

TEST(EngineClockTest, KnowsHowFarTheSystemsTimeIs) {
  EXPECT_EQ(EngineClock(0).skew_ns(), 0) << "nobody set a clock";
  EngineClock ahead(system_now() + 7'200 * kSecondNs);
  EXPECT_NEAR(static_cast<double>(ahead.now() + ahead.skew_ns()), static_cast<double>(system_now()),
              60.0 * kSecondNs);
}

TEST(EngineClockTest, NeverGoesBack) {
  EngineClock clock(0);
  TimeNs last = 0;
  for (int i = 0; i < 100'000; ++i) {
    const TimeNs now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace pqd::test
