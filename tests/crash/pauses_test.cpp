// A bounded part of the campaign that `tests/run crash --pause` runs at length: no time is asserted.
#include <gtest/gtest.h>

#include "tests/crash/figures_page.h"
#include "tests/crash/pause_campaign.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {
namespace {

TEST(Pauses, EndAndTheClientGoesOnWithAllJobsThere) {
  const PausePlan plan{.jobs = 5'000, .kills = 3, .starts = 2};
  const PauseReport report = measure_pauses(plan);
  EXPECT_EQ(report.fault, "");
  EXPECT_GE(report.live_jobs, plan.jobs);
  EXPECT_LE(report.live_jobs, plan.jobs + 1'000) << "the client's own go";
  EXPECT_EQ(report.pauses_ms.size(), 3u);
  EXPECT_EQ(report.recoveries_ms.size(), 3u);
  EXPECT_EQ(report.starts_ms.size(), 2u);
  for (const double pause : report.pauses_ms) EXPECT_GT(pause, 0);
  EXPECT_GE(report.engine_bytes_peak, report.engine_bytes);
  EXPECT_GT(report.engine_bytes, plan.jobs * plan.payload_bytes);
  EXPECT_GT(report.store_bytes, plan.jobs * 100);
  const std::string figures = figures_of(plan, report);
  EXPECT_NE(figures.find("engine killed 3 times, a client goes on after p50 "), std::string::npos) << figures;
}

TEST(Percentile, IsTheSmallestThatSoManyDoNotExceed) {
  EXPECT_EQ(percentile({}, 99), 0);
  EXPECT_EQ(percentile({7}, 50), 7);
  std::vector<double> figures;
  for (int i = 200; i > 0; --i) figures.push_back(i);
  EXPECT_EQ(percentile(figures, 50), 100);
  EXPECT_EQ(percentile(figures, 99), 198);
  EXPECT_EQ(percentile(figures, 100), 200);
}

TEST(FiguresPage, TakesFiguresBetweenTheMarksOfTheirName) {
  const TempDir directory;
  const std::string page = directory.path("page.md");
  const std::string before = "before\n<!-- figures of a: written by crash --write-figures -->\n";
  const std::string after = "<!-- end of figures of a -->\nafter\n";
  write_file(page, before + "    old\n" + after);
  EXPECT_TRUE(write_figures(page, "a", "one\n  two\n"));
  EXPECT_EQ(read_file(page), before + "    one\n      two\n" + after);
  EXPECT_FALSE(write_figures(page, "b", "one\n")) << "no marks";
  EXPECT_EQ(read_file(page), before + "    one\n      two\n" + after);
}

}  // namespace
}  // namespace pqd::test
