#include "tests/bench/plots.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

constexpr std::array kParts{0.5, 0.9, 0.99, 0.999, 0.9999};

// How many there are for one that is slower: what makes a percentile rare, and an axis of its own even.
double one_of(double part) { return 1 / (1 - part); }

const Axis kPercentiles{"part of all that took at most so long",
                        {{one_of(0.5), "50 %"},
                         {one_of(0.9), "90 %"},
                         {one_of(0.99), "99 %"},
                         {one_of(0.999), "99.9 %"},
                         {one_of(0.9999), "99.99 %"}}};

template <class Value>
std::pair<double, double> range_of(const std::vector<Curve>& curves, Value value) {
  double least = 1e300;
  double most = 0;
  for (const Curve& curve : curves)
    for (const auto& point : curve.points) {
      least = std::min(least, value(point));
      most = std::max(most, value(point));
    }
  return {least, most};
}

Axis axis_of_y(const std::string& label, const std::vector<Curve>& curves, std::string (*text)(double)) {
  const auto [least, most] = range_of(curves, [](const auto& point) { return point.second; });
  return {label, decades(least, most, text)};
}

// Latencies of every line that has some; curves without any are left out.
void add_percentiles(const Comparison& comparison, const std::string& suffix, std::vector<Curve>& curves) {
  for (const Line& line : comparison.lines) {
    if (!line.latency || line.latency->count() == 0) continue;
    Curve curve{line.who + suffix, line.ours, {}};
    for (const double part : kParts)
      // With less than one beyond it a percentile is the longest, again and again.
      if (static_cast<double>(line.latency->count()) >= one_of(part))
        curve.points.emplace_back(one_of(part),
                                  std::max(1.0, static_cast<double>(line.latency->quantile(part))));
    curves.push_back(std::move(curve));
  }
}

std::vector<Drawing> percentiles(const RowResult& result, const std::string& title) {
  Plot plot{title, kPercentiles, {}, {}};
  for (const Comparison& comparison : result.comparisons) {
    const bool looking = comparison.title.find("looking") != std::string::npos;
    add_percentiles(comparison, looking ? ", looking" : "", plot.curves);
  }
  if (plot.curves.empty()) return {};
  plot.y = axis_of_y("time, logarithmic", plot.curves, short_time);
  return {{result.row + ".svg", std::move(plot)}};
}

std::vector<Drawing> commit_sizes(const RowResult& result) {
  if (result.comparisons.empty()) return {};
  Curve curve{"pqd", true, {}};
  for (const Line& line : result.comparisons[0].lines) {
    const Figure* const jobs = line.figure(kJobsASecond);
    const Figure* const size = line.figure(kJobsACommit);
    if (jobs != nullptr && size != nullptr) curve.points.emplace_back(size->median(), jobs->median());
  }
  if (curve.points.empty()) return {};
  std::ranges::sort(curve.points);
  Plot plot{"Durable submits a second, by the jobs of a commit", {}, {}, {curve}};
  const auto [least, most] = range_of(plot.curves, [](const auto& point) { return point.first; });
  plot.x = {"jobs of a commit, logarithmic", decades(std::max(least, 1.0), most, short_number)};
  plot.y = axis_of_y("jobs a second, logarithmic", plot.curves, short_number);
  return {{result.row + ".svg", std::move(plot)}};
}

}  // namespace

std::vector<Drawing> drawings_of(const RowResult& result) {
  if (result.row == "commit-size") return commit_sizes(result);
  if (result.row == "acknowledgement")
    return percentiles(result, "One durable submit at a time, until it is acknowledged");
  if (result.row == "to-handler")
    return percentiles(result, "From submit to the consumer's code, durability memory");
  return {};
}

bool write_drawings(const RowResult& result, const std::string& directory) {
  for (const Drawing& drawing : drawings_of(result)) {
    std::ofstream file(directory + "/" + drawing.file);
    file << svg_of(drawing.plot);
    if (!file.flush()) return false;
  }
  return true;
}

}  // namespace pqd::bench
