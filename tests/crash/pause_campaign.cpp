#include "tests/crash/pause_campaign.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>

#include "tests/crash/figures_page.h"

namespace pqd::test {
namespace {

std::string spread(const std::vector<double>& figures) {
  std::ostringstream out;
  out << "p50 " << static_cast<uint64_t>(percentile(figures, 50)) << ", p99 "
      << static_cast<uint64_t>(percentile(figures, 99)) << ", longest "
      << static_cast<uint64_t>(percentile(figures, 100)) << " ms";
  return out.str();
}

std::string mib(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

std::string figures_of(const PausePlan& plan, const PauseReport& report) {
  std::ostringstream out;
  out << report.live_jobs << " live jobs, payloads of " << plan.payload_bytes << " bytes, durability fsync; "
      << measured_where() << "\n"
      << "  engine killed " << report.pauses_ms.size() << " times, a client goes on after "
      << spread(report.pauses_ms) << "\n"
      << "  of this the recovery: " << spread(report.recoveries_ms) << "\n"
      << "  daemon killed " << report.starts_ms.size()
      << " times and started with none of its files in memory, ready after " << spread(report.starts_ms)
      << "\n"
      << "  memory of the engine " << mib(report.engine_bytes) << ", at most "
      << mib(report.engine_bytes_peak) << "; files " << mib(report.store_bytes) << "\n";
  return out.str();
}

int run_pause_campaign(const PauseOrder& order) {
  const PauseReport report = measure_pauses(order.plan);
  if (!report.fault.empty()) {
    std::fprintf(stderr, "crash: %s\n", report.fault.c_str());
    return 1;
  }
  const std::string figures = figures_of(order.plan, report);
  std::fputs(figures.c_str(), stdout);
  if (!order.figures_file.empty() && !write_figures(order.figures_file, "pauses", figures)) {
    std::fprintf(stderr, "crash: %s has no place for figures\n", order.figures_file.c_str());
    return 64;
  }
  return testing::Test::HasFailure() ? 1 : 0;
}

}  // namespace pqd::test
