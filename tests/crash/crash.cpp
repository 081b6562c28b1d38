// Campaigns of the tests in this folder as a program: power cuts of many seeds on every CPU, or faults of
// real processes one after the other, with figures at the end.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/bit_flips.h"
#include "tests/crash/cycle_campaign.h"
#include "tests/crash/pause_campaign.h"
#include "tests/crash/power_cuts.h"

namespace pqd::test {
namespace {

struct Order {
  uint64_t first = 1;
  uint64_t last = 20;
  uint64_t commits = 120;
  uint64_t images = 4;
  uint64_t points = 0;
  uint64_t flips = 0;
  unsigned processes = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
};

// Of power cuts.
struct CutFigures {
  uint64_t lives = 0, points = 0, images = 0, commits = 0, tables = 0, refused = 0, failed = 0;

  CutFigures& operator+=(const CutFigures& other) {
    lives += other.lives, points += other.points, images += other.images, commits += other.commits;
    tables += other.tables, refused += other.refused, failed += other.failed;
    return *this;
  }
};

// Of flipped bits.
struct FlipFigures {
  uint64_t lives = 0, flips = 0, refused = 0, harmless = 0, found = 0, served = 0, whole = 0, salvaged = 0,
           failed = 0;

  FlipFigures& operator+=(const FlipFigures& other) {
    lives += other.lives, flips += other.flips, refused += other.refused, harmless += other.harmless;
    found += other.found, served += other.served, whole += other.whole, salvaged += other.salvaged;
    failed += other.failed;
    return *this;
  }
};

unsigned long long n(uint64_t value) { return value; }

void complain(const std::string& failure, const char* flags, uint64_t seed) {
  std::fprintf(stderr, "%s\n  again with: tests/run crash%s --seeds %llu..%llu\n", failure.c_str(), flags,
               n(seed), n(seed));
}

CutFigures cut_share(const Order& order, unsigned share) {
  CutFigures figures;
  for (uint64_t seed = order.first + share; seed <= order.last; seed += order.processes) {
    const PowerCutReport report = cut_power_everywhere(
        {.life = {.seed = seed, .commits = order.commits}, .images = order.images, .points = order.points});
    figures += {1,
                report.points,
                report.images,
                report.commits_told,
                report.tables_written,
                report.refused,
                report.failed};
    if (report.failed != 0) complain(report.first_failure, "", seed);
  }
  return figures;
}

FlipFigures flip_share(const Order& order, unsigned share) {
  FlipFigures figures;
  for (uint64_t seed = order.first + share; seed <= order.last; seed += order.processes) {
    const BitFlipReport report =
        flip_bits({.life = {.seed = seed, .commits = order.commits}, .flips = order.flips});
    const BitFlipReport::Kind all = report.total();
    const uint64_t failed = all.served + all.unnamed + all.wrecked + (all.flips == 0 ? 1 : 0);
    figures +=
        {1, all.flips, all.refused, all.harmless, all.found, all.served, all.whole, all.salvaged, failed};
    if (failed != 0)
      complain(report.first_failure, (" --flips " + std::to_string(order.flips)).c_str(), seed);
  }
  return figures;
}

// One process a share; each sends its figures through a pipe.
template <class Figures>
Figures run_shares(const Order& order, Figures (*run_share)(const Order&, unsigned)) {
  Figures all;
  std::vector<std::pair<pid_t, int>> children;
  for (unsigned share = 0; share < order.processes; ++share) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    const pid_t child = ::fork();
    if (child == 0) {
      const Figures figures = run_share(order, share);
      (void)!::write(ends[1], &figures, sizeof figures);
      ::_exit(0);
    }
    ::close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  for (const auto& [child, pipe] : children) {
    Figures figures;
    const bool told = ::read(pipe, &figures, sizeof figures) == static_cast<ssize_t>(sizeof figures);
    ::waitpid(child, nullptr, 0);
    ::close(pipe);
    all += figures;
    all.failed += told ? 0 : 1;
  }
  return all;
}

uint64_t run_cuts(const Order& order) {
  const CutFigures f = run_shares(order, cut_share);
  std::printf("seeds %llu..%llu: %llu lives, %llu commits acknowledged, %llu tables written\n",
              n(order.first), n(order.last), n(f.lives), n(f.commits), n(f.tables));
  std::printf("%llu points, %llu power-cut images\n", n(f.points), n(f.images));
  std::printf("%llu lost or wrong, %llu refused by name (torn MANIFEST) and salvaged whole\n", n(f.failed),
              n(f.refused));
  return f.failed;
}

uint64_t run_flips(const Order& order) {
  const FlipFigures f = run_shares(order, flip_share);
  std::printf("seeds %llu..%llu: %llu lives, %llu bits flipped, one an image\n", n(order.first),
              n(order.last), n(f.lives), n(f.flips));
  std::printf(
      "%llu refused, each by the name of its file, %llu harmless, %llu found by `pqctl store check`\n",
      n(f.refused), n(f.harmless), n(f.found));
  std::printf(
      "of those refused %llu salvaged without a loss, %llu with losses by name, %llu left to a backup\n",
      n(f.whole), n(f.salvaged), n(f.refused - f.whole - f.salvaged));
  std::printf("%llu served silently, %llu failures in all\n", n(f.served), n(f.failed));
  return f.failed;
}

int main_of(int argc, char** argv) {
  Order order;
  std::string seeds = "1..20";
  CycleOrder cycles;
  PauseOrder pauses;
  CLI::App app(
      "Power cuts at every change of a store's disk, or flipped bits; each image is opened by the real "
      "recovery. Or, with --cycles, faults of real processes under load; or, with --pause, how long they "
      "take "
      "with very many live jobs");
  app.add_option("--seeds", seeds, "the lives of these seeds, A..B (1..20)");
  app.add_option("--commits", order.commits, "in each life (120)");
  app.add_option("--images", order.images, "at random at each point, besides the two extremes (4)");
  app.add_option("--points", order.points, "about so many points of a life; 0 = every one (0)");
  app.add_option("--flips", order.flips,
                 "instead of power cuts: so many bits of each closed store, one at a time");
  app.add_option("-j", order.processes, "processes (one a CPU)")->check(CLI::Range(1u, 256u));
  app.add_option("--cycles", cycles.cycles, "so many faults of real processes, one after the other");
  app.add_option("--seed", cycles.seed, "of these faults and their load, or of the moments of deaths (1)");
  app.add_option("--minutes", cycles.minutes,
                 "with --cycles: begin no further load after so long; 0 = no end (0)");
  app.add_flag("--kept", cycles.kept,
               "with --cycles: under somebody who keeps the daemon's descriptors, as systemd does");
  app.add_flag("-v", cycles.tell, "with --cycles: tell each fault");
  app.add_option("--write-figures", cycles.figures_file,
                 "with --cycles or --pause: put the figures into this page");
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
  const auto start = std::chrono::steady_clock::now();
  const uint64_t failed = order.flips == 0 ? run_cuts(order) : run_flips(order);
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%.1f s\n", wall);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pqd::test

int main(int argc, char** argv) { return pqd::test::main_of(argc, argv); }
