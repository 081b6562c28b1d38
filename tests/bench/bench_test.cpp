// The suite's own parts, and a short run of each of our rows: that figures come out, not what they are.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>

#include "tests/bench/comparison.h"
#include "tests/bench/keeper.h"
#include "tests/bench/latency.h"
#include "tests/bench/report.h"
#include "tests/bench/row.h"
#include "tests/bench/sides.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBench = PQD_BIN_DIR "/bench";

TEST(Latency, IsExactForSmallValues) {
  Latency latency;
  for (uint64_t value = 1; value <= 100; ++value) latency.add(value);
  EXPECT_EQ(latency.count(), 100u);
  EXPECT_EQ(latency.quantile(0.5), 50u);
  EXPECT_EQ(latency.quantile(0.99), 99u);
  EXPECT_EQ(latency.quantile(1), 100u);
  EXPECT_EQ(latency.max(), 100u);
}

TEST(Latency, IsNeverBelowAndAtMostASixtyFourthAboveTheTruth) {
  for (uint64_t value = 1; value < (uint64_t{1} << 62); value = value * 3 + 1) {
    Latency latency;
    latency.add(value);
    latency.add(value * 2);  // so that the longest does not hide the bucket's end
    EXPECT_GE(latency.quantile(0.5), value);
    EXPECT_LE(latency.quantile(0.5) - value, value / 64);
  }
}

TEST(Latency, OfManySidesIsThatOfAllTogether) {
  Latency all, fast, slow;
  for (uint64_t value = 0; value < 1'000; ++value) {
    (value % 3 == 0 ? slow : fast).add(value * 1'000);
    all.add(value * 1'000);
  }
  fast.merge(slow);
  EXPECT_EQ(fast.count(), all.count());
  for (const double part : {0.01, 0.5, 0.9, 0.999, 1.0}) EXPECT_EQ(fast.quantile(part), all.quantile(part));
}

TEST(Latency, OfNothingIsNothing) { EXPECT_EQ(Latency().quantile(0.99), 0u); }

TEST(Sides, BeginTogetherAndTellWhatTheyDid) {
  Sides sides;
  for (int i = 0; i < 3; ++i) {
    sides.add("worker", [i](Side& side) {
      side.start();
      side.did(static_cast<uint64_t>(i) + 1);
      side.latency().add(7);
      while (side.done_by("worker") < 6 && !side.over()) ::usleep(100);
      side.end_all();
    });
  }
  EXPECT_TRUE(sides.run(60)) << sides.fault();
  EXPECT_EQ(sides.count_of("worker"), 6u);
  EXPECT_EQ(sides.latency_of("worker").count(), 3u);
  EXPECT_GT(sides.rate_of("worker"), 0);
  EXPECT_EQ(sides.count_of("nobody"), 0u);
}

TEST(Sides, AreVoidWhenOneFailsAndEndThoseThatWaitForIt) {
  Sides sides;
  sides.add("waiting", [](Side& side) {
    side.start();
    for (;;) ::pause();
  });
  sides.add("failing", [](Side& side) {
    side.start();
    side.fail("out of luck");
  });
  EXPECT_FALSE(sides.run(60));
  EXPECT_EQ(sides.fault(), "failing: out of luck");
}

TEST(Figure, IsTheMedianOfItsRepeats) {
  EXPECT_EQ((Figure{"x", {3, 1, 2}}.median()), 2);
  EXPECT_EQ((Figure{"x", {4, 1, 2, 3}}.median()), 2.5);
  EXPECT_EQ((Figure{"x", {3, 1, 2}}.least()), 1);
  EXPECT_EQ((Figure{"x", {3, 1, 2}}.most()), 3);
}

Comparison small_comparison() {
  Comparison comparison{"jobs", Tier::kFsync};
  comparison.lines = {
      {"pqd", "as it is", true}, {"slow", "", false}, {"weak", "", false, "acknowledges first"}};
  comparison.lines[0].add("jobs/s", 300'000);
  comparison.lines[1].add("jobs/s", 20'000);
  comparison.lines[2].add("jobs/s", 900'000);
  comparison.lines[0].latency.emplace();
  comparison.lines[0].latency->add(2'000);
  return comparison;
}

TEST(Comparison, CountsNoPeerThatPromisesLess) {
  const Comparison comparison = small_comparison();
  EXPECT_EQ(comparison.best_peer("jobs/s"), 20'000);
  EXPECT_TRUE(aim_times(comparison.lines[0], "jobs/s", 20'000, 15, "").met);
  EXPECT_FALSE(aim_times(comparison.lines[0], "jobs/s", 20'000, 15.1, "").met);
}

TEST(Comparison, CountsNoLimitAsAPeer) {
  Comparison comparison = small_comparison();
  comparison.lines[1].limit = true;
  EXPECT_EQ(comparison.best_peer("jobs/s"), 0);
}

TEST(Comparison, MissesAnAimWithoutAFigure) {
  Line line{"pqd", "", true};
  EXPECT_FALSE(aim_at_least(line, "jobs/s", 0).met);
  EXPECT_FALSE(aim_at_most(line, "jobs/s", 1e9).met);
  EXPECT_FALSE(aim_latency(line, 0.5, 1e9, "").met);
  line.add("jobs/s", 10);
  EXPECT_TRUE(aim_at_least(line, "jobs/s", 10).met);
  EXPECT_FALSE(aim_at_most(line, "jobs/s", 9).met);
  EXPECT_FALSE(aim_times(line, "jobs/s", 0, 1, "").met) << "no peer has figures";
}

TEST(Report, SaysWhoPromisesLessAndWhichAimIsMissed) {
  Comparison comparison = small_comparison();
  comparison.aims = {{"fast", "5 times", false}};
  const std::string text = text_of(comparison);
  EXPECT_NE(text.find("jobs; fsync before each acknowledgement"), std::string::npos) << text;
  EXPECT_NE(text.find("pqd   300 k jobs/s"), std::string::npos) << text;
  EXPECT_NE(text.find("promises less: acknowledges first"), std::string::npos) << text;
  EXPECT_NE(text.find("MISSED  fast: 5 times"), std::string::npos) << text;
}

TEST(Report, SaysHowFarTheCpusWereFromEachOtherBeforeTheRepeats) {
  Comparison comparison = small_comparison();
  comparison.lines[0].between_cpus_ns = {330, 52, 60};
  EXPECT_NE(text_of(comparison).find("a cache line took 52.0 ns to 330 ns"), std::string::npos)
      << text_of(comparison);
  const auto parsed = boost::json::parse(json_of({}, {}, {{"row", {comparison}}}));
  const auto& lines = parsed.at("rows").at(0).at("comparisons").at(0).at("lines");
  EXPECT_EQ(lines.at(0).at("between_cpus_ns").as_array().size(), 3u);
  EXPECT_FALSE(lines.at(1).as_object().contains("between_cpus_ns"));
}

TEST(Report, IsThereForProgramsToo) {
  const auto parsed =
      boost::json::parse(json_of({{"cpu", "a \"fast\" one"}}, {"x 1"}, {{"row", {small_comparison()}}}));
  const auto& comparison = parsed.at("rows").at(0).at("comparisons").at(0);
  EXPECT_EQ(parsed.at("machine").at("cpu").as_string(), "a \"fast\" one");
  EXPECT_EQ(comparison.at("tier").as_string(), tier_text(Tier::kFsync));
  EXPECT_EQ(comparison.at("lines").at(0).at("figures").at(0).at("median").to_number<double>(), 300'000);
  EXPECT_EQ(comparison.at("lines").at(0).at("latency_ns").at("p50").to_number<uint64_t>(), 2'000u);
  EXPECT_EQ(comparison.at("lines").at(2).at("weaker").as_string(), "acknowledges first");
}

TEST(Keeper, RemovesTheDirectoryHoweverTheWorkEnds) {
  const test::TempDir base;
  EXPECT_EQ(kept(base.path(),
                 [&] {
                   test::write_file(std::string(std::getenv("TMPDIR")) + "/file", "x");
                   return fs::is_empty(base.path()) ? 1 : 3;
                 }),
            3);
  EXPECT_EQ(kept(base.path(),
                 []() -> int {
                   ::raise(SIGKILL);
                   return 0;
                 }),
            128 + SIGKILL);
  EXPECT_TRUE(fs::is_empty(base.path()));
  EXPECT_EQ(kept(base.path("not there"), [] { return 0; }), 69);
}

TEST(Bench, LeavesNothingBehindWhenInterrupted) {
  const test::TempDir base;
  test::Program bench(
      {kBench, "durable-submit", "--no-peers", "--seconds", "3600", "--directory", base.path()});
  ASSERT_TRUE(bench.says("== durable-submit"));
  bench.signal(SIGINT);
  EXPECT_EQ(bench.wait(), 128 + SIGINT);
  EXPECT_TRUE(fs::is_empty(base.path()));
}

TEST(Bench, IsInterruptedAlsoWhereAShellHasItIgnoreThat) {
  const test::TempDir base;
  ::signal(SIGINT, SIG_IGN);
  test::Program bench(
      {kBench, "durable-submit", "--no-peers", "--seconds", "3600", "--directory", base.path()});
  ::signal(SIGINT, SIG_DFL);
  ASSERT_TRUE(bench.says("== durable-submit"));
  bench.signal(SIGINT);
  EXPECT_EQ(bench.wait(), 128 + SIGINT);
  EXPECT_TRUE(fs::is_empty(base.path()));
}

TEST(Bench, RefusesWhatItDoesNotKnow) {
  for (const auto& words :
       {std::vector<std::string>{"no-such-row"}, {"--no-such-option"}, {"--seconds", "never"}}) {
    std::vector<std::string> command{kBench};
    command.insert(command.end(), words.begin(), words.end());
    const test::Ran ran = test::run(command);
    EXPECT_EQ(ran.exit, 64);
    EXPECT_NE(ran.err.find("bench: "), std::string::npos) << ran.err;
  }
  EXPECT_EQ(test::run({kBench, "--help"}).exit, 0);
}

class EachRow : public testing::TestWithParam<std::string> {};

TEST_P(EachRow, HasFiguresOfOurs) {
  const test::TempDir base;
  const std::string json = base.path("figures.json");
  const test::Ran ran = test::run({kBench, GetParam(), "--no-peers", "--seconds", "0.05", "--repeats", "1",
                                   "--jobs", "2000", "--json", json});
  ASSERT_EQ(ran.exit, 0) << ran.out << ran.err;
  const auto row = boost::json::parse(test::read_file(json)).at("rows").at(0);
  EXPECT_EQ(row.at("row").as_string(), GetParam());
  ASSERT_FALSE(row.at("comparisons").as_array().empty());
  for (const auto& comparison : row.at("comparisons").as_array()) {
    ASSERT_FALSE(comparison.at("lines").as_array().empty());
    for (const auto& line : comparison.at("lines").as_array()) {
      const auto* const latency = line.as_object().if_contains("latency_ns");
      const auto& figures = line.at("figures").as_array();
      EXPECT_TRUE(!figures.empty() || (latency != nullptr && latency->at("count").to_number<uint64_t>() > 0))
          << boost::json::serialize(line);
    }
  }
}

std::vector<std::string> names_of_rows() {
  std::vector<std::string> names;
  for (const Row& row : all_rows()) names.emplace_back(row.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Rows, EachRow, testing::ValuesIn(names_of_rows()), [](const auto& row) {
  std::string name = row.param;
  std::erase(name, '-');
  return name;
});

}  // namespace
}  // namespace pqd::bench
