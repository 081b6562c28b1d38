// The suite as a program: measures the rows that are named, all without a name, and prints what it finds.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>

#include "tests/bench/keeper.h"
#include "tests/bench/machine.h"
#include "tests/bench/peers.h"
#include "tests/bench/plots.h"
#include "tests/bench/ratios.h"
#include "tests/bench/report.h"
#include "tests/bench/row.h"
#include "tests/bench/scaling.h"
#include "tests/crash/figures_page.h"

namespace pqd::bench {
namespace {

constexpr int kUsage = 64;

struct Order {
  std::vector<std::string> rows;
  Plan plan;
  bool list = false;
  std::string directory;
  std::string json_file;
  std::string figures_page;
  std::string plots_directory;
};

int refuse(const std::string& why) {
  std::fprintf(stderr, "bench: %s; see --help\n", why.c_str());
  return kUsage;
}

bool write_json(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  return static_cast<bool>(file.flush());
}

int measure(const Order& order) {
  const Facts machine = describe_machine();
  const std::vector<std::string> versions = peer_versions(order.plan);
  std::string header = text_of(machine);
  if (!versions.empty()) {
    header += "versions      ";
    for (size_t i = 0; i < versions.size(); ++i) header += (i == 0 ? "" : ", ") + versions[i];
    header += "\n";
  }
  std::printf("%s", header.c_str());
  std::vector<RowResult> results;
  bool all_measured = true;
  for (const Row& row : all_rows()) {
    if (!order.rows.empty() && std::ranges::find(order.rows, row.name) == order.rows.end()) continue;
    std::printf("\n== %s: %s\n", std::string(row.name).c_str(), std::string(row.what).c_str());
    std::fflush(stdout);
    RowResult result{std::string(row.name), row.measure(order.plan)};
    std::string figures;
    for (const Comparison& comparison : result.comparisons) {
      figures += text_of(comparison);
      for (const Line& line : comparison.lines) all_measured &= !line.ours || line.fault.empty();
    }
    std::printf("%s", figures.c_str());
    std::fflush(stdout);
    if (!order.figures_page.empty() &&
        !test::write_figures(order.figures_page, result.row, header + figures, "bench"))
      return refuse(order.figures_page + " has no place for figures of " + result.row);
    if (!order.plots_directory.empty() && !write_drawings(result, order.plots_directory))
      return refuse(order.plots_directory + " takes no drawings");
    results.push_back(std::move(result));
  }
  // Of all rows or of none: what is left out looks as if it was good.
  if (order.rows.empty()) {
    const std::string worse = worse_of(results), limits = limits_of(results), scaling = scaling_of(results);
    std::printf("\n== what is worse\n%s\n== ours against the machine\n%s\n== more CPUs\n%s", worse.c_str(),
                limits.c_str(), scaling.c_str());
    if (!order.figures_page.empty() &&
        !(test::write_figures(order.figures_page, "worse", header + worse, "bench") &&
          test::write_figures(order.figures_page, "limits", header + limits, "bench") &&
          test::write_figures(order.figures_page, "scaling", header + scaling, "bench")))
      return refuse(order.figures_page + " has no place for what is worse, for the limits, or for more CPUs");
  }
  if (!order.json_file.empty() && !write_json(order.json_file, json_of(machine, versions, results))) {
    std::fprintf(stderr, "bench: cannot write %s\n", order.json_file.c_str());
    return 1;
  }
  return all_measured && !testing::Test::HasFailure() ? 0 : 1;
}

int main_of(int argc, char** argv) {
  Order order;
  bool no_peers = false;
  CLI::App app("Measures pqd, and others beside it on this machine; with no row named, all of them");
  app.add_option("ROW", order.rows, "rows to measure; --list names them");
  app.add_flag("--list", order.list, "names the rows");
  app.add_option("--seconds", order.plan.seconds, "of each repeat (1)")->check(CLI::Range(0.01, 3600.0));
  app.add_option("--repeats", order.plan.repeats, "of each line; median and spread are told (3)")
      ->check(CLI::Range(1u, 100u));
  app.add_option("--jobs", order.plan.jobs, "live jobs of the row backlog (1000000)")
      ->check(CLI::Range(uint64_t{1}, uint64_t{50'000'000}));
  app.add_flag("--no-peers", no_peers, "ours only");
  app.add_option("--peers", order.plan.peers_directory,
                 "where npm has put those of its packages we compare with");
  app.add_option("--directory", order.directory,
                 "on the file system to be measured; a directory in it is made and removed (TMPDIR or /tmp)");
  app.add_option("--json", order.json_file, "everything for programs into this file as well");
  app.add_option("--write-figures", order.figures_page,
                 "put the figures into this page, in the place of those of the same rows");
  app.add_option("--plots", order.plots_directory, "draw what some rows find, as SVG into this directory");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    if (fault.get_exit_code() == 0) return app.exit(fault);
    return refuse(fault.what());
  }
  if (order.list) {
    for (const Row& row : all_rows())
      std::printf("%-16s %s\n", std::string(row.name).c_str(), std::string(row.what).c_str());
    return 0;
  }
  for (const std::string& name : order.rows)
    if (find_row(name) == nullptr) return refuse("there is no row '" + name + "'; --list names them");
  order.plan.peers = !no_peers;
  // Peers are started in directories of their own.
  if (!order.plan.peers_directory.empty())
    order.plan.peers_directory = std::filesystem::absolute(order.plan.peers_directory);
  return kept(order.directory, [&] { return measure(order); });
}

}  // namespace
}  // namespace pqd::bench

int main(int argc, char** argv) { return pqd::bench::main_of(argc, argv); }
