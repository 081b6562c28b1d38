#include "tests/bench/report.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <sstream>

namespace pqd::bench {
namespace {

namespace json = boost::json;

struct Part {
  const char* name;
  double part;
};
constexpr std::array kParts =
    std::to_array<Part>({{"p50", 0.50}, {"p90", 0.90}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}});

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string text_of(const Figure& figure) {
  std::string text = short_number(figure.median()) + " " + figure.name;
  if (figure.repeats.size() > 1)
    text += " (" + short_number(figure.least()) + " to " + short_number(figure.most()) + ")";
  return text;
}

// "80 ns", "52 to 330 ns".
std::string span_of(const std::vector<double>& times_ns) {
  const auto [least, most] = std::ranges::minmax(times_ns);
  return least == most ? short_time(least) : short_time(least) + " to " + short_time(most);
}

std::string text_of(const Latency& latency) {
  std::string text;
  for (const Part& part : kParts)
    text +=
        std::string(part.name) + " " + short_time(static_cast<double>(latency.quantile(part.part))) + ", ";
  return text + "longest " + short_time(static_cast<double>(latency.max())) + " of " +
         short_number(static_cast<double>(latency.count()));
}

json::object object_of(const Latency& latency) {
  json::object object{{"count", latency.count()}, {"max", latency.max()}};
  for (const Part& part : kParts) object[part.name] = latency.quantile(part.part);
  return object;
}

json::object object_of(const Line& line) {
  json::object object{{"who", line.who}, {"how", line.how}, {"ours", line.ours}};
  if (!line.weaker.empty()) object["weaker"] = line.weaker;
  if (!line.fault.empty()) object["fault"] = line.fault;
  json::array figures;
  for (const Figure& figure : line.figures) {
    figures.push_back(json::object{{"name", figure.name},
                                   {"median", figure.median()},
                                   {"least", figure.least()},
                                   {"most", figure.most()},
                                   {"repeats", json::value_from(figure.repeats)}});
  }
  object["figures"] = std::move(figures);
  if (!line.between_cpus_ns.empty()) object["between_cpus_ns"] = json::value_from(line.between_cpus_ns);
  if (line.latency) object["latency_ns"] = object_of(*line.latency);
  return object;
}

json::object object_of(const Comparison& comparison) {
  json::array lines;
  for (const Line& line : comparison.lines) lines.push_back(object_of(line));
  json::array aims;
  for (const Aim& aim : comparison.aims)
    aims.push_back(json::object{{"text", aim.text}, {"found", aim.found}, {"met", aim.met}});
  return {{"title", comparison.title},
          {"tier", tier_text(comparison.tier)},
          {"lines", std::move(lines)},
          {"aims", std::move(aims)}};
}

}  // namespace

std::string text_of(const Facts& machine) {
  std::string text;
  for (const auto& [name, value] : machine) text += padded(name, 14) + value + "\n";
  return text;
}

std::string text_of(const Comparison& comparison) {
  std::ostringstream out;
  out << comparison.title << "; " << tier_text(comparison.tier) << "\n";
  size_t width = 0;
  for (const Line& line : comparison.lines) width = std::max(width, line.who.size());
  const std::string indent(width + 4, ' ');
  for (const Line& line : comparison.lines) {
    std::string lead = "  " + padded(line.who, width + 2);
    const auto say = [&](const std::string& what) { out << std::exchange(lead, indent) << what << "\n"; };
    for (const Figure& figure : line.figures) say(text_of(figure));
    if (line.latency && line.latency->count() != 0) say(text_of(*line.latency));
    if (!line.fault.empty()) say("no figures: " + line.fault);
    if (!line.between_cpus_ns.empty()) say("a cache line took " + span_of(line.between_cpus_ns));
    if (!line.weaker.empty()) say("promises less: " + line.weaker);
    if (!line.how.empty()) say(line.how);
  }
  for (const Aim& aim : comparison.aims)
    out << "  " << (aim.met ? "met     " : "MISSED  ") << aim.text << ": " << aim.found << "\n";
  return out.str();
}

std::string json_of(const Facts& machine, const std::vector<std::string>& versions,
                    const std::vector<RowResult>& rows) {
  json::object facts;
  for (const auto& [name, value] : machine) facts[name] = value;
  json::array results;
  for (const RowResult& row : rows) {
    json::array comparisons;
    for (const Comparison& comparison : row.comparisons) comparisons.push_back(object_of(comparison));
    results.push_back(json::object{{"row", row.row}, {"comparisons", std::move(comparisons)}});
  }
  return json::serialize(json::object{{"machine", std::move(facts)},
                                      {"versions", json::value_from(versions)},
                                      {"rows", std::move(results)}}) +
         "\n";
}

}  // namespace pqd::bench
