// The simulator as a program: many seeds on every CPU, or one with all that happens in it.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstring>

#include "tests/sim/campaign.h"
#include "tests/sim/canary.h"

namespace pqd::sim {
namespace {

struct Order {
  uint64_t first = 1, last = 200;
  double minutes = 0;  // 0 = the seeds that were named
  long processes = 1;
  uint64_t failures_max = 5;  // then a process ends
  bool verbose = false;
};

struct Report {
  WorldFigures figures;
  uint64_t seeds = 0, failed = 0;
};

uint64_t seed_in_hand = 0;

// A broken invariant of core aborts the process: say which seed it was.
extern "C" void say_seed(int signal_number) {
  char line[128];
  const int bytes = std::snprintf(
      line, sizeof line, "seed %llu ended the process; again with: tests/run sim --seed %llu -v\n",
      static_cast<unsigned long long>(seed_in_hand), static_cast<unsigned long long>(seed_in_hand));
  if (bytes > 0) (void)!::write(STDERR_FILENO, line, static_cast<size_t>(bytes));
  ::signal(signal_number, SIG_DFL);
  ::raise(signal_number);
}

Report run_share(const Order& order, long share) {
  Report report;
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                             std::chrono::duration<double>(order.minutes * 60));
  const auto stride = static_cast<uint64_t>(order.processes);
  for (uint64_t seed = order.first + static_cast<uint64_t>(share);; seed += stride) {
    if (order.minutes > 0 ? std::chrono::steady_clock::now() >= end : seed > order.last) break;
    seed_in_hand = seed;
    const auto fault = run_seed({seed, order.verbose, true}, report.figures);
    ++report.seeds;
    if (!fault) continue;
    ++report.failed;
    std::fprintf(stderr, "seed %llu: %s\n  again with: %s\n", static_cast<unsigned long long>(seed),
                 fault->c_str(), replay_command(seed).c_str());
    if (report.failed >= order.failures_max) break;
  }
  return report;
}

// One process a share; each sends its figures through a pipe.
Report run_shares(const Order& order) {
  Report all;
  std::vector<std::pair<pid_t, int>> children;
  for (long share = 0; share < order.processes; ++share) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    const pid_t child = ::fork();
    if (child == 0) {
      const Report report = run_share(order, share);
      (void)!::write(ends[1], &report, sizeof report);
      ::_exit(0);
    }
    ::close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  for (const auto& [child, pipe] : children) {
    Report report;
    const bool told = ::read(pipe, &report, sizeof report) == static_cast<ssize_t>(sizeof report);
    ::waitpid(child, nullptr, 0);
    ::close(pipe);
    all.failed += told ? report.failed : 1;
    all.seeds += report.seeds;
    all.figures += report.figures;
  }
  return all;
}

bool parse(const char* text, uint64_t& value) {
  const char* end = text + std::strlen(text);
  return std::from_chars(text, end, value).ptr == end && text != end;
}

int usage() {
  std::fprintf(stderr,
               "usage: sim [--seeds A..B | --seed N | --minutes M] [-j PROCESSES] [-v] [--canary NAME]\n"
               "  --seeds A..B   the worlds of these seeds (default 1..200)\n"
               "  --seed N       one world; with -v all that happens in it\n"
               "  --minutes M    worlds until the time is over, from --seeds' first on\n"
               "  -j N           so many processes (default: one a CPU)\n"
               "  --canary NAME  with this fault planted; exit status 1 says that it was found\n"
               "  --canaries     their names\n");
  return 64;
}

std::optional<Order> order_of(int argc, char** argv) {
  Order order;
  order.processes = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "-v") {
      order.verbose = true;
      continue;
    }
    if (++i == argc) return std::nullopt;
    const std::string value = argv[i];
    uint64_t number = 0;
    if (option == "--seed" && parse(argv[i], number)) {
      order.first = order.last = number;
    } else if (option == "--seeds") {
      const size_t dots = value.find("..");
      if (dots == std::string::npos || !parse(value.substr(0, dots).c_str(), order.first) ||
          !parse(value.substr(dots + 2).c_str(), order.last))
        return std::nullopt;
    } else if (option == "--minutes" && std::atof(argv[i]) > 0) {
      order.minutes = std::atof(argv[i]);
    } else if (option == "-j" && parse(argv[i], number) && number > 0) {
      order.processes = static_cast<long>(number);
    } else if (option != "--canary" || !plant(value)) {
      return std::nullopt;
    }
  }
  if (order.minutes == 0)
    order.processes = std::min(order.processes, static_cast<long>(order.last - order.first + 1));
  if (order.verbose) order.processes = 1;
  if (planted_any()) order.failures_max = 1;
  return order;
}

int main_of(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--canaries") {
    for (const auto& [name, what] : canaries()) std::printf("%s  %s\n", name.c_str(), what.c_str());
    return 0;
  }
  const auto order = order_of(argc, argv);
  if (!order) return usage();
  ::signal(SIGABRT, say_seed);
  ::signal(SIGSEGV, say_seed);
  const auto start = std::chrono::steady_clock::now();
  const Report report = order->verbose ? run_share(*order, 0) : run_shares(*order);
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const WorldFigures& f = report.figures;
  const auto n = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("%llu seeds, %llu failed\n", n(report.seeds), n(report.failed));
  std::printf(
      "%.1f simulated years, %llu jobs, %llu runs of schedules, %llu clients, "
      "%llu of them in one world\n",
      static_cast<double>(f.lived_ms) / 1e3 / 86'400 / 365.25, n(f.jobs), n(f.runs), n(f.clients),
      n(f.crowd));
  std::printf("%llu changes told to those who watch\n", n(f.events));
  std::printf("%llu turns, %llu commits, %llu checkpoints\n", n(f.turns), n(f.commits), n(f.checkpoints));
  std::printf("%llu deaths of the engine, %llu of the supervisor, %llu power cuts\n", n(f.engine_crashes),
              n(f.supervisor_crashes), n(f.power_cuts));
  std::printf("%.1f s\n", wall);
  return report.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pqd::sim

int main(int argc, char** argv) { return pqd::sim::main_of(argc, argv); }
