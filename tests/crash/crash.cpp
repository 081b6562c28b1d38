// Campaigns of the tests in this folder as a program: many seeds on every CPU, with figures at the end.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/power_cuts.h"

namespace pqd::test {
namespace {

struct Order {
  uint64_t first = 1;
  uint64_t last = 20;
  uint64_t commits = 120;
  uint64_t images = 4;
  uint64_t points = 0;
  unsigned processes = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
};

struct Figures {
  uint64_t lives = 0, points = 0, images = 0, commits = 0, tables = 0, refused = 0, failed = 0;

  Figures& operator+=(const Figures& other) {
    lives += other.lives, points += other.points, images += other.images, commits += other.commits;
    tables += other.tables, refused += other.refused, failed += other.failed;
    return *this;
  }
};

Figures run_share(const Order& order, unsigned share) {
  Figures figures;
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
    if (report.failed == 0) continue;
    std::fprintf(stderr, "%s\n  again with: tests/run crash --seeds %llu..%llu\n",
                 report.first_failure.c_str(), static_cast<unsigned long long>(seed),
                 static_cast<unsigned long long>(seed));
  }
  return figures;
}

// One process a share; each sends its figures through a pipe.
Figures run_shares(const Order& order) {
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

int main_of(int argc, char** argv) {
  Order order;
  std::string seeds = "1..20";
  CLI::App app("Power cuts at every change of a store's disk, each image opened by the real recovery");
  app.add_option("--seeds", seeds, "the lives of these seeds, A..B (1..20)");
  app.add_option("--commits", order.commits, "in each life (120)");
  app.add_option("--images", order.images, "at random at each point, besides the two extremes (4)");
  app.add_option("--points", order.points, "about so many points of a life; 0 = every one (0)");
  app.add_option("-j", order.processes, "processes (one a CPU)")->check(CLI::Range(1u, 256u));
  CLI11_PARSE(app, argc, argv);
  unsigned long long first = 0;
  unsigned long long last = 0;
  if (std::sscanf(seeds.c_str(), "%llu..%llu", &first, &last) != 2 || first > last) {
    std::fprintf(stderr, "crash: --seeds takes A..B, such as 1..20\n");
    return 64;
  }
  order.first = first;
  order.last = last;
  const auto start = std::chrono::steady_clock::now();
  const Figures f = run_shares(order);
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto n = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("seeds %llu..%llu: %llu lives, %llu commits acknowledged, %llu tables written\n", first, last,
              n(f.lives), n(f.commits), n(f.tables));
  std::printf("%llu points, %llu power-cut images\n", n(f.points), n(f.images));
  std::printf("%llu lost or wrong, %llu refused by name (torn MANIFEST)\n", n(f.failed), n(f.refused));
  std::printf("%.1f s\n", wall);
  return f.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pqd::test

int main(int argc, char** argv) { return pqd::test::main_of(argc, argv); }
