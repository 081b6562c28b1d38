// Campaigns of the tests in this folder as a program: power cuts of many seeds on every CPU, or faults of
// real processes one after the other, with figures at the end.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "tests/crash/cycle_campaign.h"
#include "tests/crash/pause_campaign.h"
#include "tests/crash/store_campaign.h"

namespace pqd::test {
namespace {

int main_of(int argc, char** argv) {
  StoreOrder order;
  std::string seeds = "1..20";
  CycleOrder cycles;
  PauseOrder pauses;
  CLI::App app(
      "Power cuts at every change of a store's disk, flipped bits, or calls that fail; each image is opened "
      "by "
      "the real recovery. Or, with --cycles, faults of real processes under load; or, with --pause, how long "
      "they "
      "take with very many live jobs");
  app.add_option("--seeds", seeds, "the lives of these seeds, A..B (1..20)");
  app.add_option("--commits", order.commits, "in each life (120)");
  app.add_option("--images", order.images, "at random at each point, besides the two extremes (4)");
  app.add_option("--points", order.points, "about so many points of a life; 0 = every one (0)");
  app.add_option("--flips", order.flips,
                 "instead of power cuts: so many bits of each closed store, one at a time");
  app.add_flag("--failed-calls", order.failed_calls,
               "instead of power cuts: every call to the disk of each life fails, one a life");
  app.add_option("-j", order.processes, "processes (one a CPU)")->check(CLI::Range(1u, 256u));
  app.add_option("--cycles", cycles.cycles, "so many faults of real processes, one after the other");
  app.add_option("--seed", cycles.seed, "of these faults and their load, or of the moments of deaths (1)");
  app.add_option("--minutes", cycles.minutes,
                 "with --cycles: begin no further load after so long; 0 = no end (0)");
  app.add_flag("--kept", cycles.kept,
               "with --cycles: under somebody who keeps the daemon's descriptors, as systemd does");
  app.add_option("--partitions", cycles.partitions, "with --cycles: of the daemon, a load in each (1)")
      ->check(CLI::Range(1u, 4u));
  app.add_flag("-v", cycles.tell, "with --cycles: tell each fault");
  app.add_option("--write-figures", cycles.figures_file,
                 "put the figures into this page, in the place of those of the same kind");
  app.add_option("--pause", pauses.plan.kills, "so many deaths of an engine with very many live jobs");
  app.add_option("--jobs", pauses.plan.jobs, "with --pause: live jobs (1000000)");
  app.add_option("--starts", pauses.plan.starts, "with --pause: deaths of the whole daemon after those (10)");
  CLI11_PARSE(app, argc, argv);
  if (pauses.plan.kills != 0) {
    pauses.figures_file = cycles.figures_file;
    pauses.plan.seed = cycles.seed;
    return run_pause_campaign(pauses);
  }
  if (cycles.cycles != 0) return run_cycle_campaign(cycles);
  unsigned long long first = 0;
  unsigned long long last = 0;
  if (std::sscanf(seeds.c_str(), "%llu..%llu", &first, &last) != 2 || first > last) {
    std::fprintf(stderr, "crash: --seeds takes A..B, such as 1..20\n");
    return 64;
  }
  order.first = first;
  order.last = last;
  order.figures_file = cycles.figures_file;
  return run_store_campaign(order);
}

}  // namespace
}  // namespace pqd::test

int main(int argc, char** argv) { return pqd::test::main_of(argc, argv); }
