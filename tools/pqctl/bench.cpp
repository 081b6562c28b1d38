// pqctl bench
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>

#include "tools/pqctl/bench_run.h"
#include "tools/pqctl/progress.h"
#include "tools/pqctl/queue_name.h"

namespace pqd::ctl {
namespace {

struct Quantile {
  const char* name;
  double part;
};
constexpr std::array kQuantiles{Quantile{"p50", 0.5}, Quantile{"p90", 0.9}, Quantile{"p99", 0.99},
                                Quantile{"p99.9", 0.999}};

struct Measurement {
  const char* title;
  const char* key;
  BenchFigure (BenchRun::*measure)();
};
constexpr std::array kMeasurements{
    Measurement{"one at a time", "acknowledgement", &BenchRun::acknowledgements},
    Measurement{"submits", "submit", &BenchRun::submits},
    Measurement{"whole lives", "life", &BenchRun::lives},
};

std::string three_digits(double value, const char* unit) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 100 ? "%.0f%s" : value >= 10 ? "%.1f%s" : "%.2f%s", value, unit);
  return text;
}
std::string rate_text(double rate) {
  if (rate >= 1e6) return three_digits(rate / 1e6, "M");
  return rate >= 1e4 ? three_digits(rate / 1e3, "k") : three_digits(rate, "");
}
std::string time_text(int64_t ns) {
  const auto value = static_cast<double>(ns);
  if (ns >= 1'000'000'000) return three_digits(value / 1e9, "s");
  return ns >= 1'000'000 ? three_digits(value / 1e6, "ms") : three_digits(value / 1e3, "us");
}

Table table_of(const std::vector<BenchFigure>& figures) {
  std::vector<Column> columns{
      {.heading = "MEASURED"}, {.heading = "JOBS", .right = true}, {.heading = "A SECOND", .right = true}};
  for (const Quantile& quantile : kQuantiles) columns.push_back({.heading = quantile.name, .right = true});
  columns.push_back({.heading = "LONGEST", .right = true});
  Table table(columns);
  for (size_t i = 0; i < figures.size(); ++i) {
    const BenchFigure& figure = figures[i];
    std::vector<Cell> row{{kMeasurements[i].title},
                          {std::to_string(figure.jobs)},
                          {figure.jobs == 0 ? "-" : rate_text(figure.a_second())}};
    const bool timed = figure.latency.count() > 0;
    for (const Quantile& quantile : kQuantiles)
      row.push_back({timed ? time_text(figure.latency.quantile_ns(quantile.part)) : "-"});
    row.push_back({timed ? time_text(figure.latency.max_ns()) : "-"});
    table.add(std::move(row));
  }
  return table;
}

boost::json::object json_of(const BenchFigure& figure) {
  boost::json::object object{
      {"jobs", figure.jobs}, {"seconds", figure.seconds}, {"perSecond", figure.a_second()}};
  if (figure.latency.count() > 0) {
    boost::json::object latency;
    for (const Quantile& quantile : kQuantiles)
      latency[quantile.name] = static_cast<double>(figure.latency.quantile_ns(quantile.part)) / 1e6;
    latency["max"] = static_cast<double>(figure.latency.max_ns()) / 1e6;
    object["latencyMs"] = std::move(latency);
  }
  if (figure.max_active != 0) object["maxActive"] = figure.max_active;
  if (figure.limit) object["limitedBy"] = figure.limit->text;
  return object;
}

boost::json::object json_of(const BenchOptions& options, const std::vector<BenchFigure>& figures) {
  boost::json::object object{{"queue", options.queue},
                             {"durability", durability_name(options.durability)},
                             {"payloadBytes", options.bytes},
                             {"producers", options.producers},
                             {"secondsEach", options.seconds}};
  for (size_t i = 0; i < figures.size(); ++i) object[kMeasurements[i].key] = json_of(figures[i]);
  return object;
}

// A user who reads a rate should know whether it is the daemon's or the queue's.
void say_bounds(Context& context, const BenchOptions& options, const std::vector<BenchFigure>& figures) {
  for (size_t i = 0; i < figures.size(); ++i) {
    if (figures[i].max_active == 0) continue;
    context.say(std::string(kMeasurements[i].title) +
                " are bound by max_active: " + std::to_string(figures[i].max_active) +
                " jobs of the queue in hand at once; `pqctl queue set " + options.queue +
                " max_active=0` lifts that");
  }
}

}  // namespace

int run_bench(Context& context, const BenchOptions& options) {
  if (auto known = check_queue_name(options.queue); !known) return context.fail(known.error());
  const Interrupt interrupt;
  BenchRun run(context, options, interrupt);
  if (auto begun = run.begin(); !begun) return context.fail(begun.error());
  std::vector<BenchFigure> figures;
  Progress progress(STDERR_FILENO);
  uint64_t jobs = 0;
  for (const Measurement& measurement : kMeasurements) {
    if (interrupt.asked()) break;
    progress.show(std::string("measuring ") + measurement.title);
    figures.push_back((run.*measurement.measure)());
    jobs += figures.back().jobs;
  }
  const auto cleaned = run.clean();
  progress.clear();
  if (context.format() == Format::kTable) {
    context.print(table_of(figures));
    say_bounds(context, options, figures);
  } else {
    context.print_json(boost::json::value(json_of(options, figures)));
  }
  int exit = kExitOk;
  for (size_t i = 0; i < figures.size(); ++i) {
    if (!figures[i].limit) continue;
    context.say(std::string(kMeasurements[i].title) + " ended early: " + figures[i].limit->text);
    // A limit is a finding; only who may do nothing at all has learned nothing.
    if (jobs == 0) exit = figures[i].limit->exit;
  }
  if (!cleaned) return context.fail(cleaned.error());
  return interrupt.asked() ? interrupt.exit() : exit;
}

}  // namespace pqd::ctl
