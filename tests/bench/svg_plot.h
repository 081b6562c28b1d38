// A drawing of lines over two axes as an SVG of its own, without scripts, fonts and libraries. It follows the
// reader's preference for light or dark, on a ground of its own, so that it is legible on every page. Pure;
// any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pqd::bench {

struct Axis {
  std::string label;                                  // with the unit
  std::vector<std::pair<double, std::string>> ticks;  // growing; the first and the last are the axis' ends
};

struct Curve {
  std::string name;
  bool ours = false;                              // drawn stronger
  std::vector<std::pair<double, double>> points;  // by growing x
};

struct Plot {
  std::string title;
  Axis x, y;  // both logarithmic
  std::vector<Curve> curves;
};

// Ticks at 1, 10, 100 ... from at most `least` to at least `most`; `text` names one.
// REQUIRES: 0 < least <= most.
std::vector<std::pair<double, std::string>> decades(double least, double most, std::string (*text)(double));

// REQUIRES: two ticks an axis, all of them above 0. Points outside of the axes are drawn at their ends.
std::string svg_of(const Plot& plot);

}  // namespace pqd::bench
