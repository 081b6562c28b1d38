#include "tests/bench/comparison.h"

#include <cmath>
#include <cstdio>

namespace pqd::bench {
namespace {

std::string three_digits(double value) {
  char text[32];
  const double size = std::fabs(value);
  std::snprintf(text, sizeof text, size >= 100 || value == 0 ? "%.0f" : size >= 10 ? "%.1f" : "%.2f", value);
  return text;
}

Aim missing(const std::string& text) { return {text, "no figure", false}; }

}  // namespace

std::string_view tier_text(Tier tier) {
  switch (tier) {
    case Tier::kMemory:
      return "memory";
    case Tier::kProcessCrash:
      return "survives a process crash";
    case Tier::kGroupCommit:
      return "group commit";
    case Tier::kFsync:
      return "fsync before each acknowledgement";
  }
  return "";
}

double Figure::median() const {
  if (repeats.empty()) return 0;
  std::vector<double> sorted = repeats;
  std::ranges::sort(sorted);
  const size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
double Figure::least() const { return repeats.empty() ? 0 : *std::ranges::min_element(repeats); }
double Figure::most() const { return repeats.empty() ? 0 : *std::ranges::max_element(repeats); }

void Line::add(const std::string& name, double value) {
  for (Figure& figure : figures) {
    if (figure.name == name) return figure.repeats.push_back(value);
  }
  figures.push_back({name, {value}});
}

const Figure* Line::figure(const std::string& name) const {
  for (const Figure& figure : figures)
    if (figure.name == name) return &figure;
  return nullptr;
}

const Line* Comparison::ours() const {
  for (const Line& line : lines)
    if (line.ours && line.fault.empty()) return &line;
  return nullptr;
}

double Comparison::best_peer(const std::string& name) const {
  double best = 0;
  for (const Line& line : lines) {
    const Figure* const figure = line.figure(name);
    if (!line.ours && !line.limit && line.weaker.empty() && figure != nullptr)
      best = std::max(best, figure->median());
  }
  return best;
}

Aim aim_at_least(const Line& line, const std::string& name, double wanted) {
  const std::string text = line.who + ": at least " + short_number(wanted) + " " + name;
  const Figure* const figure = line.figure(name);
  if (figure == nullptr) return missing(text);
  return {text, short_number(figure->median()), figure->median() >= wanted};
}

Aim aim_at_most(const Line& line, const std::string& name, double wanted) {
  const std::string text = line.who + ": at most " + short_number(wanted) + " " + name;
  const Figure* const figure = line.figure(name);
  if (figure == nullptr) return missing(text);
  return {text, short_number(figure->median()), figure->median() <= wanted};
}

Aim aim_times(const Line& line, const std::string& name, double base, double wanted,
              const std::string& text) {
  const Figure* const figure = line.figure(name);
  if (figure == nullptr || base <= 0) return missing(text);
  const double times = figure->median() / base;
  return {text, three_digits(times) + " times", times >= wanted};
}

Aim aim_latency(const Line& line, double part, double wanted_ns, const std::string& text) {
  if (!line.latency || line.latency->count() == 0) return missing(text);
  const auto found = static_cast<double>(line.latency->quantile(part));
  return {text, short_time(found), found <= wanted_ns};
}

std::string short_number(double value) {
  if (value >= 1e9) return three_digits(value / 1e9) + " G";
  if (value >= 1e6) return three_digits(value / 1e6) + " M";
  if (value >= 1e4) return three_digits(value / 1e3) + " k";
  return three_digits(value);
}

std::string short_time(double ns) {
  if (ns >= 1e9) return three_digits(ns / 1e9) + " s";
  if (ns >= 1e6) return three_digits(ns / 1e6) + " ms";
  if (ns >= 1e3) return three_digits(ns / 1e3) + " us";
  return three_digits(ns) + " ns";
}

}  // namespace pqd::bench
