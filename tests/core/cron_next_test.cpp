// When a schedule runs next, and what it makes of clocks that are moved.
#include "core/cron_next.h"

#include <gtest/gtest.h>

#include "core/civil.h"
#include "tests/core/made_zone.h"

namespace pqd::test {
namespace {

constexpr int64_t kHour_s = 3'600;

int64_t utc(int64_t year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  return days_of({year, month, day}) * 86'400 + hour * kHour_s + minute * 60 + second;
}

std::string text_of(int64_t unix_s) {
  const CivilDate date = civil_of(floor_div(unix_s, 86'400));
  const int64_t rest = unix_s - floor_div(unix_s, 86'400) * 86'400;
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", static_cast<int>(date.year), date.month,
                date.day, static_cast<int>(rest / 3'600), static_cast<int>(rest / 60 % 60),
                static_cast<int>(rest % 60));
  return text;
}

// The next runs after `from`, in UTC.
std::vector<std::string> runs(std::string_view spec, const ZoneRules& zone, int64_t from, size_t count) {
  const auto parsed = parse_cron_spec(spec);
  EXPECT_TRUE(parsed) << parsed.error();
  std::vector<std::string> list;
  TimeNs at = from * kSecondNs;
  const TimeNs anchor = at;
  while (list.size() < count) {
    const auto next = next_after(*parsed, zone, at, anchor);
    if (!next) break;
    EXPECT_GT(*next, at);
    list.push_back(text_of(*next / kSecondNs));
    at = *next;
  }
  return list;
}

using Runs = std::vector<std::string>;
const UtcRules kUtc;

// 2026: to summer at 01:00 UTC on 29 March (02:00 -> 03:00), back on 25 October (03:00 -> 02:00).
const MadeZone kBerlin(3'600, {{utc(2026, 3, 29, 1), 7'200}, {utc(2026, 10, 25, 1), 3'600}});
// Half an hour: 2026-04-05 02:00 +11 -> 01:30, 2026-10-04 02:00 +10:30 -> 02:30.
const MadeZone kLordHowe(39'600, {{utc(2026, 4, 4, 15), 37'800}, {utc(2026, 10, 3, 15, 30), 39'600}});
// 30 December 2011 did not happen: from -10 to +14 at the end of the 29th.
const MadeZone kApia(-36'000, {{utc(2011, 12, 30, 10), 50'400}});

TEST(CronNext, IsStrictlyAfter) {
  EXPECT_EQ(runs("30 4 * * *", kUtc, utc(2026, 1, 1, 4, 30), 1), Runs{"2026-01-02 04:30:00"});
  EXPECT_EQ(runs("30 4 * * *", kUtc, utc(2026, 1, 1, 4, 29, 59), 1), Runs{"2026-01-01 04:30:00"});
  const auto spec = *parse_cron_spec("30 4 * * *");
  const TimeNs just_before = utc(2026, 1, 1, 4, 30) * kSecondNs - 1;
  EXPECT_EQ(next_after(spec, kUtc, just_before, 0), just_before + 1);
  EXPECT_EQ(next_after(spec, kUtc, just_before + 1, 0), just_before + 1 + 86'400 * kSecondNs);
}

TEST(CronNext, GoesThroughMonthsYearsAndLeapDays) {
  EXPECT_EQ(
      runs("59 23 31 * *", kUtc, utc(2026, 1, 1), 4),
      (Runs{"2026-01-31 23:59:00", "2026-03-31 23:59:00", "2026-05-31 23:59:00", "2026-07-31 23:59:00"}));
  EXPECT_EQ(runs("0 0 29 2 *", kUtc, utc(2096, 1, 1), 2),
            (Runs{"2096-02-29 00:00:00", "2104-02-29 00:00:00"}));
  EXPECT_EQ(runs("@yearly", kUtc, utc(2026, 6, 1), 1), Runs{"2027-01-01 00:00:00"});
}

TEST(CronNext, DayOfMonthOrDayOfWeekIsEnoughWhenBothAreRestricted) {
  // February 2026 begins with a Sunday.
  EXPECT_EQ(
      runs("0 12 13 2 fri", kUtc, utc(2026, 2, 1), 4),
      (Runs{"2026-02-06 12:00:00", "2026-02-13 12:00:00", "2026-02-20 12:00:00", "2026-02-27 12:00:00"}));
  EXPECT_EQ(runs("0 12 13 * fri", kUtc, utc(2026, 5, 9), 3),
            (Runs{"2026-05-13 12:00:00", "2026-05-15 12:00:00", "2026-05-22 12:00:00"}));
  EXPECT_EQ(runs("0 12 */2 2 sun", kUtc, utc(2026, 2, 1, 13), 2),
            (Runs{"2026-02-15 12:00:00", "2027-02-07 12:00:00"}))
      << "a step over * is no restriction: both have to match";
}

TEST(CronNext, EndsWithTheYear2255) {
  EXPECT_EQ(runs("@yearly", kUtc, utc(2254, 12, 31), 9), Runs{"2255-01-01 00:00:00"});
  EXPECT_TRUE(runs("@every 10d", kUtc, utc(2255, 12, 31), 9).empty());
}

TEST(CronNext, IntervalsCountElapsedTimeFromTheirAnchor) {
  EXPECT_EQ(runs("@every 90s", kBerlin, utc(2026, 3, 29, 0, 59, 1), 2),
            (Runs{"2026-03-29 01:00:31", "2026-03-29 01:02:01"}));
  const auto spec = *parse_cron_spec("@every 1h");
  const TimeNs anchor = utc(2026, 1, 1, 0, 7) * kSecondNs;
  EXPECT_EQ(next_after(spec, kUtc, utc(2026, 1, 5, 3, 7) * kSecondNs, anchor),
            utc(2026, 1, 5, 4, 7) * kSecondNs);
  EXPECT_EQ(next_after(spec, kUtc, anchor + 1, anchor + 1), utc(2026, 1, 1, 1, 7, 1) * kSecondNs)
      << "never early: the anchor counts from its full second on";
}

TEST(CronNext, LocalTimeThatIsJumpedOverRunsAtTheFirstInstantAfterIt) {
  EXPECT_EQ(runs("30 2 * * *", kBerlin, utc(2026, 3, 28), 3),
            (Runs{"2026-03-28 01:30:00", "2026-03-29 01:00:00", "2026-03-30 00:30:00"}));
  EXPECT_EQ(runs("15 2 * * *", kLordHowe, utc(2026, 10, 3), 2),
            (Runs{"2026-10-03 15:30:00", "2026-10-04 15:15:00"}));
  EXPECT_EQ(runs("45 2 * * *", kLordHowe, utc(2026, 10, 3), 1), Runs{"2026-10-03 15:45:00"}) << "it exists";
  EXPECT_EQ(runs("0 9 30 12 *", kApia, utc(2011, 12, 1), 2),
            (Runs{"2011-12-30 10:00:00", "2012-12-29 19:00:00"}));
}

TEST(CronNext, SeveralThatComeToOneInstantAreOneRun) {
  EXPECT_EQ(runs("*/10 2,3 * * *", kBerlin, utc(2026, 3, 29, 0, 59), 3),
            (Runs{"2026-03-29 01:00:00", "2026-03-29 01:10:00", "2026-03-29 01:20:00"}));
}

TEST(CronNext, LocalTimeThatIsShownTwiceRunsAtTheFirst) {
  EXPECT_EQ(runs("30 2 * * *", kBerlin, utc(2026, 10, 24), 3),
            (Runs{"2026-10-24 00:30:00", "2026-10-25 00:30:00", "2026-10-26 01:30:00"}));
  EXPECT_EQ(runs("0 2 * * *", kBerlin, utc(2026, 10, 25, 0, 30), 1), Runs{"2026-10-26 01:00:00"});
  EXPECT_EQ(runs("0 3 * * *", kBerlin, utc(2026, 10, 25), 1), Runs{"2026-10-25 02:00:00"});
  EXPECT_EQ(runs("45 1 * * *", kLordHowe, utc(2026, 4, 4), 2),
            (Runs{"2026-04-04 14:45:00", "2026-04-05 15:15:00"}));
  // Asked between the two, and right at the change.
  EXPECT_EQ(runs("30 2 * * *", kBerlin, utc(2026, 10, 25, 1), 1), Runs{"2026-10-26 01:30:00"});
  EXPECT_EQ(runs("30 2 * * *", kBerlin, utc(2026, 10, 25, 1, 10), 1), Runs{"2026-10-26 01:30:00"});
}

TEST(CronNext, HourFieldWithAStarFollowsTheClockAsItIsShown) {
  EXPECT_EQ(runs("0 * * * *", kBerlin, utc(2026, 3, 29), 3),
            (Runs{"2026-03-29 01:00:00", "2026-03-29 02:00:00", "2026-03-29 03:00:00"}));
  EXPECT_EQ(runs("30 * * * *", kBerlin, utc(2026, 10, 25), 3),
            (Runs{"2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-10-25 02:30:00"}));
  EXPECT_EQ(runs("0 */2 * * *", kBerlin, utc(2026, 3, 28, 22), 3),
            (Runs{"2026-03-28 23:00:00", "2026-03-29 02:00:00", "2026-03-29 04:00:00"}))
      << "02:00 is jumped over";
  EXPECT_EQ(runs("15 * * * *", kLordHowe, utc(2026, 10, 3, 14), 2),
            (Runs{"2026-10-03 14:45:00", "2026-10-03 16:15:00"}));
  EXPECT_EQ(runs("45 * * * *", kLordHowe, utc(2026, 4, 4, 14), 3),
            (Runs{"2026-04-04 14:45:00", "2026-04-04 15:15:00", "2026-04-04 16:15:00"}));
}

}  // namespace
}  // namespace pqd::test
