#include "tools/pqctl/duration.h"

#include <gtest/gtest.h>

namespace pqd::ctl {
namespace {

TEST(Duration, IsReadInEveryUnit) {
  EXPECT_EQ(parse_duration("500ms"), Milliseconds(500));
  EXPECT_EQ(parse_duration("30s"), Milliseconds(30'000));
  EXPECT_EQ(parse_duration("5m"), Milliseconds(300'000));
  EXPECT_EQ(parse_duration("2h"), Milliseconds(7'200'000));
  EXPECT_EQ(parse_duration("1d"), Milliseconds(86'400'000));
  EXPECT_EQ(parse_duration("1.5s"), Milliseconds(1'500));
  EXPECT_EQ(parse_duration("0"), Milliseconds(0));
}

TEST(Duration, RefusesWhatHasNoUnitOrIsNoNumber) {
  for (const char* text :
       {"", "5", "s", "-1s", "5 s", "5x", "5S", "nan", "infs", "1e3s", "0x5s", "5ss", "2000000d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, IsWrittenShort) {
  EXPECT_EQ(duration_text(Milliseconds(0)), "0ms");
  EXPECT_EQ(duration_text(Milliseconds(850)), "850ms");
  EXPECT_EQ(duration_text(Milliseconds(1'500)), "1.5s");
  EXPECT_EQ(duration_text(Milliseconds(12'900)), "12s");
  EXPECT_EQ(duration_text(Milliseconds(200'000)), "3m20s");
  EXPECT_EQ(duration_text(Milliseconds(7'200'000)), "2h");
  EXPECT_EQ(duration_text(Milliseconds(183'600'000)), "2d3h");
}

TEST(Time, IsReadWithZoneOffsetAndFraction) {
  EXPECT_EQ(parse_time_ms("1970-01-01T00:00:01Z"), 1'000);
  EXPECT_EQ(parse_time_ms("2026-01-31T12:00:00.250Z"), 1'769'860'800'250);
  EXPECT_EQ(parse_time_ms("2026-01-31T14:00:00+02:00"), 1'769'860'800'000);
  EXPECT_EQ(parse_time_ms("2026-01-31 12:00Z"), 1'769'860'800'000);
}

TEST(Time, WithoutZoneIsLocal) {
  ::setenv("TZ", "UTC-3", 1);  // three hours east
  ::tzset();
  EXPECT_EQ(parse_time_ms("2026-01-31T15:00:00"), 1'769'860'800'000);
  EXPECT_EQ(parse_time_ms("2026-01-31"), 1'769'806'800'000);
  ::unsetenv("TZ");
  ::tzset();
}

TEST(Time, RefusesDatesThatDoNotExist) {
  for (const char* text :
       {"2026-02-30", "2026-13-01", "2026-1-1", "1969-12-31", "tomorrow", "2026-01-31T25:00Z",
        "2026-01-31T12:00:00Zx", "2026-01-31T12:00:00+99:00", "2026-01-31T12:00:00.Z"}) {
    EXPECT_FALSE(parse_time_ms(text)) << text;
  }
}

TEST(Time, IsWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(iso_time(1'769'860'800'250 * kMillisecondNs), "2026-01-31T12:00:00.250Z");
  EXPECT_EQ(iso_time(0), "");
}

}  // namespace
}  // namespace pqd::ctl
