#include "tests/crash/store_campaign.h"

#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <sstream>

#include "tests/crash/bit_flips.h"
#include "tests/crash/failed_calls.h"
#include "tests/crash/figures_page.h"
#include "tests/crash/power_cuts.h"

namespace pqd::test {
namespace {

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

// Of failed calls, by the way that they fail.
struct CallFigures {
  struct Kind {
    uint64_t calls = 0, stopped = 0, aborted = 0;
  };
  std::array<Kind, kKindsOfFaults.size()> kinds{};
  uint64_t lives = 0, failed = 0;

  CallFigures& operator+=(const CallFigures& other) {
    for (size_t i = 0; i < kinds.size(); ++i) {
      kinds[i].calls += other.kinds[i].calls, kinds[i].stopped += other.kinds[i].stopped;
      kinds[i].aborted += other.kinds[i].aborted;
    }
    lives += other.lives, failed += other.failed;
    return *this;
  }
};

unsigned long long n(uint64_t value) { return value; }

void complain(const std::string& failure, const char* flags, uint64_t seed) {
  std::fprintf(stderr, "%s\n  again with: tests/run crash%s --seeds %llu..%llu\n", failure.c_str(), flags,
               n(seed), n(seed));
}

CutFigures cut_share(const StoreOrder& order, unsigned share) {
  CutFigures figures;
  for (uint64_t seed = order.first + share; seed <= order.last; seed += order.processes) {
    const PowerCutReport report =
        cut_power_everywhere({.life = {.seed = seed, .commits = order.commits, .syncs_beside = seed % 2 == 0},
                              .images = order.images,
                              .points = order.points});
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

FlipFigures flip_share(const StoreOrder& order, unsigned share) {
  FlipFigures figures;
  for (uint64_t seed = order.first + share; seed <= order.last; seed += order.processes) {
    const BitFlipReport report =
        flip_bits({.life = {.seed = seed, .commits = order.commits}, .flips = order.flips});
    const BitFlipReport::Kind all = report.total();
    const uint64_t failed = all.served + all.unnamed + all.wrecked + (all.flips != order.flips ? 1 : 0);
    figures +=
        {1, all.flips, all.refused, all.harmless, all.found, all.served, all.whole, all.salvaged, failed};
    if (failed != 0)
      complain(report.first_failure, (" --flips " + std::to_string(order.flips)).c_str(), seed);
  }
  return figures;
}

// A share is calls of each life: of all one in so many.
CallFigures call_share(const StoreOrder& order, unsigned share) {
  CallFigures figures;
  for (uint64_t seed = order.first; seed <= order.last; ++seed) {
    figures.lives += share == 0 ? 1 : 0;
    for (size_t i = 0; i < kKindsOfFaults.size(); ++i)
      for (const bool start : {false, true}) {
        const FailedCallReport report =
            fail_calls({.life = {.seed = seed, .commits = order.commits, .fault = kKindsOfFaults[i].plan},
                        .first = share + 1,
                        .every = order.processes,
                        .start = start});
        figures.kinds[i].calls += report.lives;
        figures.kinds[i].stopped += report.stopped;
        figures.kinds[i].aborted += report.aborted;
        figures.failed += report.failed;
        if (report.failed != 0)
          complain(report.first_failure,
                   (std::string(" --failed-calls --commits ") + std::to_string(order.commits)).c_str(), seed);
      }
  }
  return figures;
}

// One process a share; each sends its figures through a pipe.
template <class Figures>
Figures run_shares(const StoreOrder& order, Figures (*run_share)(const StoreOrder&, unsigned)) {
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

// What a campaign found, and how much of it was wrong.
struct Findings {
  std::string text;
  uint64_t failed = 0;
};

Findings run_cuts(const StoreOrder& order) {
  const CutFigures f = run_shares(order, cut_share);
  std::ostringstream out;
  out << "seeds " << order.first << ".." << order.last << ": " << f.lives << " lives, " << f.commits
      << " commits acknowledged, " << f.tables << " tables written\n"
      << f.points << " points, " << f.images << " power-cut images\n"
      << f.failed << " lost or wrong, " << f.refused
      << " refused by name (torn MANIFEST) and salvaged whole\n";
  return {out.str(), f.failed};
}

Findings run_flips(const StoreOrder& order) {
  const FlipFigures f = run_shares(order, flip_share);
  std::ostringstream out;
  out << "seeds " << order.first << ".." << order.last << ": " << f.lives << " lives, " << f.flips
      << " bits flipped, one an image\n"
      << f.refused << " refused, each by the name of its file, " << f.harmless << " harmless, " << f.found
      << " found by `pqctl store check`\n"
      << "of those refused " << f.whole << " salvaged without a loss, " << f.salvaged
      << " with losses by name, " << f.refused - f.whole - f.salvaged << " left to a backup\n"
      << f.served << " served silently, " << f.failed << " failures in all\n";
  return {out.str(), f.failed};
}

Findings run_calls(const StoreOrder& order) {
  const CallFigures f = run_shares(order, call_share);
  std::ostringstream out;
  out << "seeds " << order.first << ".." << order.last << ": " << f.lives << " lives of " << order.commits
      << " commits and the start after each, every call of theirs\n";
  for (size_t i = 0; i < f.kinds.size(); ++i)
    out << kKindsOfFaults[i].name << ": " << f.kinds[i].calls << " calls, " << f.kinds[i].stopped
        << " stopped with an error, " << f.kinds[i].aborted << " by an assertion of RocksDB\n";
  out << f.failed << " lost, wrong or went on\n";
  return {out.str(), f.failed};
}

}  // namespace

int run_store_campaign(const StoreOrder& order) {
  const auto start = std::chrono::steady_clock::now();
  Findings found = order.failed_calls ? run_calls(order)
                   : order.flips == 0 ? run_cuts(order)
                                      : run_flips(order);
  const auto wall = std::chrono::steady_clock::now() - start;
  found.text += std::to_string(std::chrono::duration_cast<std::chrono::seconds>(wall).count()) + " s, " +
                measured_where() + "\n";
  std::fputs(found.text.c_str(), stdout);
  const char* const name = order.failed_calls ? "failed calls"
                           : order.flips == 0 ? "power cuts"
                                              : "flipped bits";
  if (!order.figures_file.empty() && !write_figures(order.figures_file, name, found.text)) {
    std::fprintf(stderr, "crash: %s has no place for figures of %s\n", order.figures_file.c_str(), name);
    return 64;
  }
  return found.failed == 0 ? 0 : 1;
}

}  // namespace pqd::test
