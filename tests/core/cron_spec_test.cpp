// What a cron spec may say, and what its faults are called.
#include "core/cron_spec.h"

#include <gtest/gtest.h>

namespace pqd {
namespace {

CronSpec parsed(std::string_view text) {
  const auto spec = parse_cron_spec(text);
  EXPECT_TRUE(spec) << text << ": " << spec.error();
  return spec.value_or(CronSpec{});
}

void expect_fault(std::string_view text, const std::string& part) {
  const auto spec = parse_cron_spec(text);
  ASSERT_FALSE(spec) << text;
  EXPECT_NE(spec.error().find(part), std::string::npos) << text << " -> " << spec.error();
}

TEST(CronSpec, FieldsAreListsOfValuesRangesAndSteps) {
  const CronSpec spec = parsed("0,15-17,*/30 8-18/5 1,31 2-4 1-5");
  EXPECT_EQ(spec.minutes, 1ull << 0 | 1ull << 15 | 1ull << 16 | 1ull << 17 | 1ull << 30);
  EXPECT_EQ(spec.hours, 1u << 8 | 1u << 13 | 1u << 18);
  EXPECT_EQ(spec.days, 1u << 1 | 1u << 31);
  EXPECT_EQ(spec.months, 1u << 2 | 1u << 3 | 1u << 4);
  EXPECT_EQ(spec.weekdays, 0b0111110);
}

TEST(CronSpec, MonthsAndWeekdaysHaveNamesInAnyCase) {
  EXPECT_EQ(parsed("0 0 * jan-mar,DEC Mon"), parsed("0 0 * 1-3,12 1"));
  EXPECT_EQ(parsed("0 0 * * sun-tue"), parsed("0 0 * * 0-2"));
}

TEST(CronSpec, SevenIsSundayToo) {
  EXPECT_EQ(parsed("0 0 * * 7"), parsed("0 0 * * 0"));
  EXPECT_EQ(parsed("0 0 * * 5-7"), parsed("0 0 * * fri-sun"));
  EXPECT_EQ(parsed("0 0 * * fri-sun").weekdays, 0b1100001);
  EXPECT_EQ(parsed("0 0 * * */2").weekdays, 0b1010101);
  EXPECT_EQ(parsed("0 0 * * 0-7").weekdays, 0b1111111);
}

TEST(CronSpec, NamesStandForFields) {
  EXPECT_EQ(parsed("@hourly"), parsed("0 * * * *"));
  EXPECT_EQ(parsed("@daily"), parsed("0 0 * * *"));
  EXPECT_EQ(parsed("@midnight"), parsed("0 0 * * *"));
  EXPECT_EQ(parsed("@weekly"), parsed("0 0 * * 0"));
  EXPECT_EQ(parsed("@monthly"), parsed("0 0 1 * *"));
  EXPECT_EQ(parsed("@yearly"), parsed("0 0 1 1 *"));
  EXPECT_EQ(parsed("@Annually"), parsed("0 0 1 1 *"));
}

TEST(CronSpec, IntervalsAddUpTheirUnits) {
  EXPECT_EQ(parsed("@every 90s").interval_s, 90);
  EXPECT_EQ(parsed("@every 1h30m").interval_s, 5'400);
  EXPECT_EQ(parsed("@every  2d1s").interval_s, 2 * 86'400 + 1);
}

TEST(CronSpec, WhiteSpaceMayBeTabsAndMore) { EXPECT_EQ(parsed(" 5 \t4  * * * "), parsed("5 4 * * *")); }

TEST(CronSpec, FaultsNameTheFieldAndTheReason) {
  expect_fault("", "0 fields where five");
  expect_fault("* * * *", "4 fields where five");
  expect_fault("0 * * * * *", "seconds");
  expect_fault("60 * * * *", "minute \"60\": must be 0 to 59");
  expect_fault("* 24 * * *", "hour \"24\": must be 0 to 23");
  expect_fault("* * 0 * *", "day of month \"0\": must be 1 to 31");
  expect_fault("* * * 13 *", "month \"13\": must be 1 to 12, or jan to dec");
  expect_fault("* * * * 8", "day of week \"8\": must be 0 to 7, or sun to sat");
  expect_fault("* * * foo *", "month \"foo\"");
  expect_fault("* * * * mon-", "day of week \"mon-\": a value is missing");
  expect_fault("1,,2 * * * *", "minute \"\": a value is missing");
  expect_fault("10-5 * * * *", "minute \"10-5\": the range runs backwards");
  expect_fault("5/15 * * * *", "as in 5-59/15");
  expect_fault("*/0 * * * *", "minute \"*/0\": the step");
  expect_fault("*/ * * * *", "the step");
  expect_fault("*/60 * * * *", "1 to 59");
  expect_fault("-1 * * * *", "minute");
  expect_fault("1.5 * * * *", "minute");
  expect_fault("99999999999999999999 * * * *", "minute");
  expect_fault("@fortnightly", "none of @hourly");
  expect_fault("@reboot", "none of @hourly");
  expect_fault("@every", "one interval");
  expect_fault("@every 90", "followed by d, h, m or s");
  expect_fault("@every 30m1h", "in this order");
  expect_fault("@every s", "a number is missing");
  expect_fault("@every 0s", "1 s at least");
  expect_fault("@every 3651d", "10 years at most");
  expect_fault("@every -5s", "a number is missing");
  expect_fault(std::string(300, '*'), "over 256 bytes");
}

TEST(CronSpec, WhatCanNeverRunIsRefused) {
  expect_fault("0 0 30 2 *", "never run");
  expect_fault("0 0 31 4,6,9,11 *", "never run");
  parsed("0 0 29 2 *");
  parsed("0 0 31 2,3 *");
  parsed("0 0 30 2 mon");  // Mondays of February
  expect_fault("0 0 30 2 */2", "never run");
}

}  // namespace
}  // namespace pqd
