// What is drawn of what was found.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/bench/plots.h"
#include "tests/bench/row.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {
namespace {

RowResult commit_sizes() {
  Comparison comparison{"by how many", Tier::kGroupCommit};
  for (const double size : {300.0, 1.2, 20.0}) {
    Line line{"so many", "", true};
    line.add(kJobsASecond, size * 1'000);
    line.add(kJobsACommit, size);
    comparison.lines.push_back(line);
  }
  comparison.lines.push_back({"failed", "", true});
  return {"commit-size", {comparison}};
}

RowResult acknowledgements() {
  Comparison comparison{"one at a time", Tier::kFsync};
  comparison.lines = {{"pqd", "", true}, {"<other> & \"more\"", ""}, {"not installed", ""}};
  for (size_t i = 0; i < 2; ++i) {
    comparison.lines[i].latency.emplace();
    for (uint64_t ns = 1; ns <= 200; ++ns) comparison.lines[i].latency->add(ns * 1'000);
  }
  return {"acknowledgement", {comparison}};
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Drawings, ShowThroughputOverTheSizesThatCommitsHad) {
  const auto drawings = drawings_of(commit_sizes());
  ASSERT_EQ(drawings.size(), 1u);
  EXPECT_EQ(drawings[0].file, "commit-size.svg");
  const Plot& plot = drawings[0].plot;
  ASSERT_EQ(plot.curves.size(), 1u);
  EXPECT_EQ(plot.curves[0].points,
            (std::vector<std::pair<double, double>>{{1.2, 1'200}, {20, 20'000}, {300, 300'000}}));
  EXPECT_LE(plot.x.ticks.front().first, 1.2);
  EXPECT_GE(plot.y.ticks.back().first, 300'000);
}

TEST(Drawings, EndAPercentileCurveWhereNothingLiesBeyondIt) {
  const auto drawings = drawings_of(acknowledgements());
  ASSERT_EQ(drawings.size(), 1u);
  const auto& curves = drawings[0].plot.curves;
  ASSERT_EQ(curves.size(), 2u) << "who has no figures is not drawn";
  EXPECT_EQ(curves[0].points.size(), 3u) << "of 200, one in a thousand says nothing";
  EXPECT_TRUE(curves[0].ours);
  EXPECT_FALSE(curves[1].ours);
}

TEST(Drawings, AreNoneOfRowsWithoutFigures) {
  EXPECT_TRUE(drawings_of({"idle", {}}).empty());
  EXPECT_TRUE(drawings_of({"acknowledgement", {{"empty", Tier::kFsync}}}).empty());
  EXPECT_TRUE(drawings_of({"commit-size", {{"empty", Tier::kFsync}}}).empty());
}

TEST(Drawings, NameAxesAndCurvesInTextThatIsNoMarkup) {
  const test::TempDir directory;
  ASSERT_TRUE(write_drawings(acknowledgements(), directory.path()));
  const std::string svg = test::read_file(directory.path("acknowledgement.svg"));
  EXPECT_EQ(count(svg, "<polyline"), 2u);
  EXPECT_NE(svg.find(">&lt;other&gt; &amp; &quot;more&quot;</text>"), std::string::npos) << svg;
  EXPECT_NE(svg.find(">time, logarithmic</text>"), std::string::npos);
  EXPECT_NE(svg.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_EQ(count(svg, "<text"), count(svg, "</text>"));
  EXPECT_FALSE(write_drawings(acknowledgements(), directory.path("not there")));
}

TEST(Plot, KeepsItsPointsWithinTheAxes) {
  Plot plot{"t", {"x", decades(1, 100, short_number)}, {"y", decades(1, 100, short_number)}, {}};
  plot.curves = {{"c", true, {{0, 1'000}}}};
  // The left end of the one axis, the upper end of the other.
  EXPECT_NE(svg_of(plot).find("points=\"84.0,48.0 \""), std::string::npos) << svg_of(plot);
}

TEST(Decades, ReachFromBelowTheLeastToAboveTheMost) {
  const auto ticks = decades(30, 2'000, short_number);
  ASSERT_EQ(ticks.size(), 4u);
  EXPECT_EQ(ticks.front().first, 10);
  EXPECT_EQ(ticks.back(), (std::pair<double, std::string>(10'000, "10 k")));
  EXPECT_EQ(decades(5, 5, short_number).size(), 2u);
}

}  // namespace
}  // namespace pqd::bench
