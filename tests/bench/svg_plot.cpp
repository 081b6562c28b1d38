#include "tests/bench/svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace pqd::bench {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 420;
constexpr double kLeft = 84;
constexpr double kRight = 560;  // the legend stands behind it
constexpr double kTop = 48;
constexpr double kBottom = 356;
constexpr double kLegendStep = 22;

// Told apart by most who see few colours, on light and on dark.
constexpr std::array kColours{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31"};

constexpr const char* kStyle =
    "<style>\n"
    "  .ground { fill: #ffffff } .ink { fill: #24292f } .faint { stroke: #d0d7de } .frame { stroke: #57606a "
    "}\n"
    "  text { font: 13px sans-serif } .title { font-size: 15px; font-weight: bold }\n"
    "  @media (prefers-color-scheme: dark) {\n"
    "    .ground { fill: #0d1117 } .ink { fill: #e6edf3 } .faint { stroke: #30363d } .frame { stroke: "
    "#8b949e }\n"
    "  }\n"
    "</style>\n";

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += c;
  }
  return safe;
}

// Where `value` stands between the ends of the axis, which are drawn at `from` and `to`.
double place(const Axis& axis, double value, double from, double to) {
  const double least = std::log(axis.ticks.front().first);
  const double most = std::log(axis.ticks.back().first);
  const double part = (std::log(std::max(value, axis.ticks.front().first)) - least) / (most - least);
  return from + std::clamp(part, 0.0, 1.0) * (to - from);
}

std::string line(double x1, double y1, double x2, double y2, const std::string& how) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" +
         number(y2) + "\" " + how + "/>\n";
}

std::string words(double x, double y, const std::string& how, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" " + how + ">" + escaped(text) + "</text>\n";
}

std::string axes_of(const Plot& plot) {
  std::string svg;
  for (const auto& [value, name] : plot.x.ticks) {
    const double x = place(plot.x, value, kLeft, kRight);
    svg += line(x, kTop, x, kBottom, "class=\"faint\"");
    svg += words(x, kBottom + 18, "class=\"ink\" text-anchor=\"middle\"", name);
  }
  for (const auto& [value, name] : plot.y.ticks) {
    const double y = place(plot.y, value, kBottom, kTop);
    svg += line(kLeft, y, kRight, y, "class=\"faint\"");
    svg += words(kLeft - 8, y + 4, "class=\"ink\" text-anchor=\"end\"", name);
  }
  svg += line(kLeft, kBottom, kRight, kBottom, "class=\"frame\"") +
         line(kLeft, kTop, kLeft, kBottom, "class=\"frame\"");
  svg += words((kLeft + kRight) / 2, kBottom + 44, "class=\"ink\" text-anchor=\"middle\"", plot.x.label);
  const std::string middle = number((kTop + kBottom) / 2);
  svg +=
      words(18, (kTop + kBottom) / 2,
            "class=\"ink\" text-anchor=\"middle\" transform=\"rotate(-90 18 " + middle + ")\"", plot.y.label);
  return svg;
}

std::string curve_of(const Plot& plot, size_t index) {
  const Curve& curve = plot.curves[index];
  const std::string colour = kColours[index % kColours.size()];
  const std::string how =
      "stroke=\"" + colour + "\" stroke-width=\"" + (curve.ours ? "3.5" : "1.8") + "\" fill=\"none\"";
  std::string svg = "<polyline " + how + " points=\"";
  for (const auto& [x, y] : curve.points)
    svg += number(place(plot.x, x, kLeft, kRight)) + "," + number(place(plot.y, y, kBottom, kTop)) + " ";
  svg += "\"/>\n";
  for (const auto& [x, y] : curve.points)
    svg += "<circle cx=\"" + number(place(plot.x, x, kLeft, kRight)) + "\" cy=\"" +
           number(place(plot.y, y, kBottom, kTop)) + "\" r=\"" + (curve.ours ? "4" : "3") + "\" fill=\"" +
           colour + "\"/>\n";
  const double y = kTop + 8 + static_cast<double>(index) * kLegendStep;
  svg += line(kRight + 14, y, kRight + 38, y, how);
  return svg + words(kRight + 44, y + 4, "class=\"ink\"", curve.name);
}

// "10.0 k" is "10 k" beside other round numbers.
std::string rounded(std::string text) {
  for (const char* const zeros : {".00", ".0"})
    if (const size_t at = text.find(zeros); at != std::string::npos)
      text.erase(at, std::string(zeros).size());
  return text;
}

}  // namespace

std::vector<std::pair<double, std::string>> decades(double least, double most, std::string (*text)(double)) {
  std::vector<std::pair<double, std::string>> ticks;
  double at = std::pow(10, std::floor(std::log10(least)));
  for (; ticks.size() < 2 || ticks.back().first < most; at *= 10) ticks.emplace_back(at, rounded(text(at)));
  return ticks;
}

std::string svg_of(const Plot& plot) {
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " +
                    number(kHeight) + "\" width=\"" + number(kWidth) + "\" height=\"" + number(kHeight) +
                    "\" role=\"img\">\n<title>" + escaped(plot.title) + "</title>\n" + kStyle;
  svg += "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n";
  svg += words(kLeft, 28, "class=\"ink title\"", plot.title) + axes_of(plot);
  for (size_t i = 0; i < plot.curves.size(); ++i) svg += curve_of(plot, i);
  return svg + "</svg>\n";
}

}  // namespace pqd::bench
