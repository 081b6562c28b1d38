// A second opinion: npm's croner, over a year of several zones. It treats changes of clocks by rules of its
// own (what is jumped over runs an hour later, what is shown twice at the second), so that days beside one
// are left out here; ours are in tests/core/cron_next_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/civil.h"
#include "core/cron_next.h"
#include "daemon/zone/zone_files.h"
#include "tests/support/program.h"

namespace pqd::test {
namespace {

constexpr const char* kVersion = "9.1.0";
constexpr int64_t kFrom_s = days_of({2026, 1, 1}) * 86'400;
constexpr int64_t kTo_s = days_of({2027, 1, 1}) * 86'400;
constexpr int64_t kBeside_s = 26 * 3'600;

const std::vector<std::string> kZones{"UTC",
                                      "Europe/Berlin",
                                      "America/New_York",
                                      "Australia/Lord_Howe",
                                      "Asia/Kathmandu",
                                      "America/St_Johns",
                                      "Pacific/Chatham"};
const std::vector<std::string> kSpecs{
    "0 0 * * *",           "30 2 * * *",           "15 6,18 * * mon-fri",
    "*/20 9-17 1,15 * *",  "0 12 13 * fri",        "59 23 31 * *",
    "5 4 * feb,apr-jun *", "7 * 1-7 * *",          "*/45 22-23 * 1-12/3 sun",
    "0 1 29-31 * 7",       "0-10/3,59 */7 24 12 *"};

// The module's file; "" and why not.
std::string module_path(std::string& why) {
  const std::string directory = PQD_CRONER_DIR;
  const std::string module = directory + "/node_modules/croner/dist/croner.js";
  if (read_file(directory + "/node_modules/croner/package.json").find(kVersion) == std::string::npos) {
    std::filesystem::create_directories(directory);
    const Ran ran = run({"/usr/bin/env", "npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix",
                         directory, std::string("croner@") + kVersion});
    if (ran.exit != 0)
      why = "npm could not install croner (exit " + std::to_string(ran.exit) + "): " + ran.err;
  }
  return why.empty() ? module : "";
}

bool beside_a_change(const ZoneRules& zone, int64_t at) {
  return zone.span_at(at - kBeside_s).offset_s != zone.span_at(at).offset_s ||
         zone.span_at(at + kBeside_s).offset_s != zone.span_at(at).offset_s;
}

std::vector<int64_t> our_runs(const std::string& text, const ZoneRules& zone) {
  const auto spec = parse_cron_spec(text);
  EXPECT_TRUE(spec) << text;
  std::vector<int64_t> runs;
  for (TimeNs at = kFrom_s * kSecondNs; at < kTo_s * kSecondNs;) {
    at = next_after(*spec, zone, at, 0).value_or(kTo_s * kSecondNs);
    if (at < kTo_s * kSecondNs) runs.push_back(at / kSecondNs);
  }
  return runs;
}

TEST(Croner, FindsTheSameRunsOfAYearAwayFromChangesOfClocks) {
  if (run({"/usr/bin/env", "sh", "-c", "command -v npm && command -v node"}).exit != 0)
    GTEST_SKIP() << "there is no npm here: schedules are not compared with croner";
  std::string why;
  const std::string module = module_path(why);
  if (module.empty()) GTEST_SKIP() << why;
  std::string zone_list;
  for (const std::string& zone : kZones) zone_list += (zone_list.empty() ? "" : ",") + zone;
  std::vector<std::string> words{"/usr/bin/env",
                                 "node",
                                 PQD_SOURCE_DIR "/tests/daemon/zone/croner_runs.mjs",
                                 module,
                                 std::to_string(kFrom_s),
                                 std::to_string(kTo_s),
                                 zone_list};
  words.insert(words.end(), kSpecs.begin(), kSpecs.end());
  const Ran ran = run(words);
  ASSERT_EQ(ran.exit, 0) << ran.err;
  ZoneFiles zones;
  size_t compared = 0;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line); ++compared) {
    std::istringstream parts(line);
    std::string name, text;
    std::getline(parts, name, '|');
    std::getline(parts, text, '|');
    std::vector<int64_t> theirs;
    for (int64_t at = 0; parts >> at;) theirs.push_back(at);
    const auto zone = zones.find(name);
    ASSERT_NE(zone, nullptr) << name;
    std::vector<int64_t> ours = our_runs(text, *zone);
    const auto beside = [&](int64_t at) { return beside_a_change(*zone, at); };
    std::erase_if(theirs, beside);
    std::erase_if(ours, beside);
    EXPECT_EQ(ours, theirs) << name << ": " << text;
    EXPECT_FALSE(ours.empty()) << name << ": " << text;
  }
  EXPECT_EQ(compared, kZones.size() * kSpecs.size());
}

}  // namespace
}  // namespace pqd::test
