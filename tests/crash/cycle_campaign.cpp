#include "tests/crash/cycle_campaign.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>

#include "tests/crash/cycles.h"
#include "tests/crash/figures_page.h"

namespace pqd::test {
namespace {

constexpr size_t kShown = 20;  // of broken rules; usually one fault breaks many

std::string figures_of(const CycleOrder& order, const CycleReport& report, double seconds) {
  const LoadFigures& f = report.figures;
  std::ostringstream out;
  out << "seed " << order.seed << ": " << report.cycles << " cycles, " << report.loads << " loads judged, "
      << static_cast<uint64_t>(seconds) << " s, " << measured_where() << "\n";
  for (size_t i = 0; i < kFaultCount; ++i)
    out << (i == 0 ? "  " : ", ") << fault_name(static_cast<Fault>(i)) << " " << report.by_fault[i];
  out << "\n  beside them: queue paused over a fault " << report.pauses << " times, jobs cancelled "
      << report.cancels << ", faults at a due time " << report.at_due_times << "\n  operators: " << f.redriven
      << " dead letters redriven, " << f.reviewed << " reviewed, " << f.purged << " purged; " << f.schedules
      << " schedules set, " << f.runs << " runs of theirs (" << f.runs_late
      << " made a second or more late)";
  out << "\n  jobs: " << f.submitted << " submitted, " << f.acknowledged << " acknowledged (" << f.duplicates
      << " as duplicates), " << f.refused << " refused for want of room, " << f.sent_again << " sent again, "
      << f.unheard << " of producers that died first\n"
      << "  deliveries: " << f.taken << ", of these " << f.taken_again << " later attempts; " << f.settled
      << " settlements counted, " << f.settled_late << " came too late and were refused\n"
      << "  ends: " << f.completed << " completed, " << f.failed << " failed (" << f.delivery_lost
      << " at-most-once ones whose consumer died), " << f.timed_out << " timed out, " << f.cancelled
      << " cancelled, " << f.memory_gone << " of durability memory, gone with their engine\n"
      << "  acknowledged and lost " << f.lost << ", at-most-once delivered twice " << f.twice
      << ", delivered after an acknowledged completion " << f.after_completion << ", rules broken "
      << report.broken.size() << "\n";
  return out.str();
}

}  // namespace

int run_cycle_campaign(const CycleOrder& order) {
  CyclePlan plan{.seed = order.seed, .cycles = order.cycles};
  plan.budget = std::chrono::minutes(order.minutes);
  plan.tell = order.tell;
  plan.descriptors_kept = order.kept;
  plan.partitions = order.partitions;
  plan.kept_directory = "crash-seed-" + std::to_string(order.seed) + "." + std::to_string(::getpid());
  const auto start = std::chrono::steady_clock::now();
  const CycleReport report = run_cycles(plan);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::string figures = figures_of(order, report, seconds);
  std::fputs(figures.c_str(), stdout);
  if (!order.figures_file.empty() && !write_figures(order.figures_file, "cycles", figures)) {
    std::fprintf(stderr, "crash: %s has no place for figures\n", order.figures_file.c_str());
    return 64;
  }
  for (size_t i = 0; i < report.broken.size() && i < kShown; ++i)
    std::fprintf(stderr, "%s\n", report.broken[i].c_str());
  if (report.broken.empty()) return testing::Test::HasFailure() ? 1 : 0;
  std::fprintf(
      stderr,
      "again with: tests/run crash --cycles %llu --seed %llu --partitions %u\n"
      "what there is to look at: %s (the daemon's log and directory, what each process wrote down)\n",
      static_cast<unsigned long long>(order.cycles), static_cast<unsigned long long>(order.seed),
      order.partitions, plan.kept_directory.c_str());
  return 1;
}

}  // namespace pqd::test
