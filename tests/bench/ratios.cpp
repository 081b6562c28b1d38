#include "tests/bench/ratios.h"

#include <array>
#include <cstdio>

namespace pqd::bench {
namespace {

std::string times(double ratio) {
  char text[32];
  std::snprintf(text, sizeof text,
                ratio >= 100  ? "%.0f times"
                : ratio >= 10 ? "%.1f times"
                              : "%.2f times",
                ratio);
  return text;
}

std::string name_of(const Line& line) {
  return line.who + (line.weaker.empty() ? "" : ", which promises less");
}

void compare_latency(const Line& ours, const Line& other, std::vector<Ratio>& ratios) {
  struct Part {
    const char* name;
    double part;
  };
  for (const Part& part : std::to_array<Part>({{"p50", 0.5}, {"p99", 0.99}})) {
    const auto theirs = static_cast<double>(other.latency->quantile(part.part));
    if (theirs <= 0) continue;
    const double ratio = static_cast<double>(ours.latency->quantile(part.part)) / theirs;
    ratios.push_back({times(ratio) + " the " + part.name + " of " + name_of(other), ratio > 1, other.limit});
  }
}

std::string head_of(const RowResult& row, const Comparison& comparison) {
  return row.row + ": " + comparison.title + "; " + std::string(tier_text(comparison.tier)) + "\n";
}

}  // namespace

std::vector<Ratio> ratios_of(const Comparison& comparison) {
  std::vector<Ratio> ratios;
  const Line* const ours = comparison.ours();
  if (ours == nullptr) return ratios;
  for (const Line& other : comparison.lines) {
    if (other.ours || !other.fault.empty()) continue;
    if (ours->latency && other.latency) {
      compare_latency(*ours, other, ratios);
      continue;
    }
    for (const Figure& figure : ours->figures) {
      const Figure* const theirs = other.figure(figure.name);
      if (theirs == nullptr || theirs->median() <= 0) continue;
      const double ratio = figure.median() / theirs->median();
      ratios.push_back(
          {times(ratio) + " the " + figure.name + " of " + name_of(other), ratio < 1, other.limit});
    }
  }
  return ratios;
}

std::string worse_of(const std::vector<RowResult>& rows) {
  std::string text;
  for (const RowResult& row : rows) {
    for (const Comparison& comparison : row.comparisons) {
      std::string found;
      for (const Ratio& ratio : ratios_of(comparison))
        if (ratio.worse && !ratio.limit) found += "  " + ratio.text + "\n";
      for (const Aim& aim : comparison.aims)
        if (!aim.met) found += "  missed: " + aim.text + ": " + aim.found + "\n";
      if (!found.empty()) text += head_of(row, comparison) + found;
    }
  }
  return text;
}

std::string limits_of(const std::vector<RowResult>& rows) {
  std::string text;
  for (const RowResult& row : rows) {
    for (const Comparison& comparison : row.comparisons) {
      std::string found;
      for (const Ratio& ratio : ratios_of(comparison))
        if (ratio.limit) found += "  " + ratio.text + "\n";
      if (!found.empty()) text += head_of(row, comparison) + found;
    }
  }
  return text;
}

}  // namespace pqd::bench
