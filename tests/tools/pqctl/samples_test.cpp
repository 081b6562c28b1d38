#include "tools/pqctl/samples.h"

#include <gtest/gtest.h>

namespace pqd::ctl {
namespace {

TEST(Samples, TellPercentilesOfAllWhileTheyAreFew) {
  Samples samples;
  for (int64_t ns = 100; ns >= 1; --ns) samples.add(ns);
  EXPECT_EQ(samples.count(), 100u);
  EXPECT_EQ(samples.quantile_ns(0.5), 51);
  EXPECT_EQ(samples.quantile_ns(0.99), 100);
  EXPECT_EQ(samples.quantile_ns(1), 100);
  EXPECT_EQ(samples.max_ns(), 100);
  EXPECT_EQ(Samples().quantile_ns(0.5), 0);
}

TEST(Samples, StayWithinTheirRoomAndKeepTheirShape) {
  Samples samples(64);
  for (int64_t ns = 1; ns <= 100'000; ++ns) samples.add(ns);
  EXPECT_EQ(samples.count(), 100'000u);
  EXPECT_EQ(samples.max_ns(), 100'000);
  EXPECT_NEAR(static_cast<double>(samples.quantile_ns(0.5)), 50'000, 5'000);
  EXPECT_NEAR(static_cast<double>(samples.quantile_ns(0.9)), 90'000, 5'000);
}

}  // namespace
}  // namespace pqd::ctl
