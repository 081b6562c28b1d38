// The system's zones: the same clocks as the C library's, and no belief in damaged files.
#include "daemon/zone/zone_files.h"

#include <gtest/gtest.h>
#include <time.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/civil.h"
#include "core/cron_next.h"
#include "daemon/zone/tzif_zone.h"
#include "tests/support/temp_dir.h"

namespace pqd {
namespace {

using test::read_file;
using test::TempDir;
using test::write_file;

constexpr int64_t kDay_s = 86'400;

int64_t utc(int64_t year, int month, int day, int hour = 0, int minute = 0) {
  return days_of({year, month, day}) * kDay_s + hour * 3'600 + minute * 60;
}

std::vector<std::string> zone_names() {
  std::vector<std::string> names;
  std::ifstream table(std::string(kZoneDirectory) + "/zone1970.tab");
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string countries, place, name;
    fields >> countries >> place >> name;
    names.push_back(name);
  }
  return names;
}

// What the C library says, which reads the same files with code of its own.
class LibraryClock {
 public:
  explicit LibraryClock(const std::string& zone) { set(zone.c_str()); }
  ~LibraryClock() { set("UTC"); }
  int64_t offset_s(int64_t unix_s) const {
    const time_t at = unix_s;
    tm local{};
    ::localtime_r(&at, &local);
    return local.tm_gmtoff;
  }

 private:
  static void set(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
};

TEST(ZoneFiles, AgreeWithTheCLibraryForEveryZoneFrom1990To2060) {
  ZoneFiles zones;
  const auto names = zone_names();
  ASSERT_GT(names.size(), 200u) << "is the package tzdata installed?";
  for (const std::string& name : names) {
    const auto zone = zones.find(name);
    ASSERT_NE(zone, nullptr) << name;
    const LibraryClock library(name);
    int64_t at = utc(1990, 1, 1);
    size_t differences = 0;
    while (at < utc(2060, 1, 1)) {
      const ZoneSpan span = zone->span_at(at);
      ASSERT_TRUE(span.begin_s <= at && at < span.end_s) << name << " at " << at;
      for (const int64_t probe : {at, std::min(span.end_s, utc(2060, 1, 1)) - 1})
        differences += library.offset_s(probe) != span.offset_s ? 1u : 0u;
      at = std::min(span.end_s, at + 100 * kDay_s);
    }
    EXPECT_EQ(differences, 0u) << name;
  }
}

TEST(ZoneFiles, RunsFollowTheClocksOfRealZonesFarBeyondTheFilesTables) {
  ZoneFiles zones;
  const auto next = [&](const char* spec, const char* zone, int64_t after) {
    const auto rules = zones.find(zone);
    EXPECT_NE(rules, nullptr) << zone;
    return next_after(*parse_cron_spec(spec), *rules, after * kSecondNs, 0).value_or(0) / kSecondNs;
  };
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", utc(2026, 3, 28, 12)), utc(2026, 3, 29, 1));
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", utc(2050, 3, 26, 12)), utc(2050, 3, 27, 1));
  EXPECT_EQ(next("30 1 * * *", "America/New_York", utc(2026, 10, 31, 12)), utc(2026, 11, 1, 5, 30));
  EXPECT_EQ(next("30 1 * * *", "America/New_York", utc(2026, 11, 1, 5, 30)), utc(2026, 11, 2, 6, 30));
  EXPECT_EQ(next("15 2 * * *", "Australia/Lord_Howe", utc(2026, 10, 3)), utc(2026, 10, 3, 15, 30));
  EXPECT_EQ(next("45 1 * * *", "Australia/Lord_Howe", utc(2026, 4, 4, 14, 45)), utc(2026, 4, 5, 15, 15));
  EXPECT_EQ(next("0 9 30 12 *", "Pacific/Apia", utc(2011, 12, 1)), utc(2011, 12, 30, 10));
  EXPECT_EQ(next("0 0 * * *", "Asia/Kathmandu", utc(2026, 1, 1)), utc(2026, 1, 1, 18, 15));
}

TEST(ZoneFiles, HaveNoOtherNamesThanZones) {
  const TempDir dir;
  write_file(dir.path("text"), "no zone");
  std::filesystem::create_directory(dir.path("Europe"));
  ZoneFiles zones(dir.path());
  for (const char* name : {"", "text", "Europe", "/etc/passwd", "../x", "Europe/", "a b", "None/There"})
    EXPECT_EQ(zones.find(name), nullptr) << name;
  EXPECT_NE(zones.find("UTC"), nullptr) << "needs no file";
  EXPECT_EQ(ZoneFiles().find("leapseconds"), nullptr);
}

TEST(ZoneFiles, AreReadAgainWhenTheyChange) {
  const TempDir dir;
  const std::string from = kZoneDirectory;
  std::filesystem::copy_file(from + "/Asia/Tokyo", dir.path("Here"));
  ZoneFiles zones(dir.path());
  EXPECT_EQ(zones.find("Here")->span_at(0).offset_s, 9 * 3'600);
  std::filesystem::copy_file(from + "/Asia/Kathmandu", dir.path("Here"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(zones.find("Here")->span_at(utc(2026, 1, 1)).offset_s, 20'700);
  std::filesystem::remove(dir.path("Here"));
  EXPECT_EQ(zones.find("Here"), nullptr);
}

TEST(TzifZone, EveryTruncationAndEveryBrokenByteIsSurvived) {
  const std::string whole = read_file(std::string(kZoneDirectory) + "/Europe/Berlin");
  ASSERT_TRUE(TzifZone::parse(as_bytes(whole)));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(TzifZone::parse(as_bytes(whole.substr(0, size)))) << size;
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string broken = whole;
    broken[i] = static_cast<char>(broken[i] ^ 0xFF);
    if (const auto zone = TzifZone::parse(as_bytes(broken))) zone->span_at(utc(2026, 1, 1));
  }
}

TEST(PosixZone, TakesEveryFormOfRule) {
  const auto offset = [](const char* rule, int64_t at) {
    return PosixZone::parse(rule).value().span_at(at).offset_s;
  };
  EXPECT_EQ(offset("UTC0", 0), 0);
  EXPECT_EQ(offset("<+0545>-5:45", 0), 20'700);
  EXPECT_EQ(offset("EST5EDT,M3.2.0,M11.1.0", utc(2026, 7, 1)), -4 * 3'600);
  EXPECT_EQ(offset("EST5EDT,M3.2.0,M11.1.0", utc(2026, 1, 1)), -5 * 3'600);
  EXPECT_EQ(offset("AEST-10AEDT,M10.1.0,M4.1.0/3", utc(2026, 1, 1)), 11 * 3'600)
      << "summer over the new year";
  EXPECT_EQ(offset("IST-1GMT0,M10.5.0,M3.5.0/1", utc(2026, 1, 1)), 0) << "winter time as the exception";
  EXPECT_EQ(offset("XXX3EDT4,0/0,J365/23", utc(2026, 1, 1, 4)), -4 * 3'600) << "summer all the year";
  EXPECT_EQ(offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", utc(2026, 3, 29, 0, 59)), -2 * 3'600);
  EXPECT_EQ(offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", utc(2026, 3, 29, 1)), -1 * 3'600);
  for (const char* wrong : {"", "UTC", "AB1", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0", "EST5x",
                            "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,M3.2.0/200,M11.1.0", "<+05-5"})
    EXPECT_FALSE(PosixZone::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace pqd
