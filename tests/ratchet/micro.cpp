// How long the hot pieces take, by Google Benchmark: a program of its own beside the suite, because its
// figures are of code alone, without processes, rings between CPUs and a disk.
#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

#include "tests/bench/comparison.h"
#include "tests/bench/machine.h"
#include "tests/bench/moment.h"
#include "tests/bench/report.h"
#include "tests/crash/figures_page.h"
#include "tests/ratchet/piece.h"

namespace pqd::ratchet {
namespace {

constexpr int kUsage = 64;

class ClockMeter final : public Meter {
 public:
  void begin() override { began_ns_ = bench::now_ns(); }
  void end(uint64_t things) override {
    taken_ns_ += bench::now_ns() - began_ns_;
    things_ += things;
  }
  double take_seconds() { return static_cast<double>(std::exchange(taken_ns_, 0)) / 1e9; }
  uint64_t things() const { return things_; }

 private:
  int64_t began_ns_ = 0;
  int64_t taken_ns_ = 0;
  uint64_t things_ = 0;
};

void measure(benchmark::State& state, const PieceKind& kind) {
  const auto piece = kind.make();
  ClockMeter meter;
  for ([[maybe_unused]] const auto turn : state) {
    piece->round(meter);
    state.SetIterationTime(meter.take_seconds());
  }
  state.SetItemsProcessed(static_cast<int64_t>(meter.things()));
}

// Keeps the nanoseconds a thing of each repeat, by the piece's name.
class Collector final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const auto rate = run.counters.find("items_per_second");
      if (run.run_type == Run::RT_Iteration && rate != run.counters.end())
        found[run.run_name.function_name].repeats.push_back(1e9 / rate->second.value);
    }
  }
  std::map<std::string, bench::Figure> found;
};

std::string line_of(const PieceKind& kind, const bench::Figure& ns) {
  char name[32];
  std::snprintf(name, sizeof name, "%-16s", kind.name.data());
  return name + bench::short_time(ns.median()) + " / " + std::string(kind.thing) + " (" +
         bench::short_time(ns.least()) + " to " + bench::short_time(ns.most()) +
         "): " + std::string(kind.what) + "\n";
}

int main_of(int argc, char** argv) {
  std::vector<std::string> names;
  double seconds = 0.5;
  int repeats = 5;
  std::string page;
  CLI::App app("Measures the time that the hot pieces take; with no piece named, all of them");
  app.add_option("PIECE", names, "pieces to measure; ratchet --list names them");
  app.add_option("--seconds", seconds, "of each repeat (0.5)")->check(CLI::Range(0.001, 3600.0));
  app.add_option("--repeats", repeats, "of each piece; median and spread are told (5)")
      ->check(CLI::Range(1, 100));
  app.add_option("--write-figures", page, "put the figures into this page, in the place of those before");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    if (fault.get_exit_code() == 0) return app.exit(fault);
    std::fprintf(stderr, "micro: %s; see --help\n", fault.what());
    return kUsage;
  }
  for (const std::string& name : names) {
    if (std::ranges::find(all_pieces(), name, &PieceKind::name) != all_pieces().end()) continue;
    std::fprintf(stderr, "micro: there is no piece '%s'; see --help\n", name.c_str());
    return kUsage;
  }
  const auto wanted = [&](const PieceKind& kind) {
    return names.empty() || std::ranges::find(names, kind.name) != names.end();
  };
  for (const PieceKind& kind : all_pieces()) {
    if (!wanted(kind)) continue;
    benchmark::RegisterBenchmark(kind.name.data(), [&kind](benchmark::State& state) { measure(state, kind); })
        ->UseManualTime()
        ->MinTime(seconds)
        ->Repetitions(repeats);
  }
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  std::string text = bench::text_of(bench::describe_machine());
  for (const PieceKind& kind : all_pieces())
    if (const auto found = collector.found.find(std::string(kind.name)); found != collector.found.end())
      text += line_of(kind, found->second);
  std::printf("%s", text.c_str());
  if (!page.empty() && !test::write_figures(page, "pieces", text, "micro")) {
    std::fprintf(stderr, "micro: %s has no place for figures of pieces\n", page.c_str());
    return kUsage;
  }
  return 0;
}

}  // namespace
}  // namespace pqd::ratchet

int main(int argc, char** argv) { return pqd::ratchet::main_of(argc, argv); }
