#include "tests/bench/scaling.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

constexpr double kNsASecond = 1e9;
// With so many CPUs to a partition its threads and its clients find one.
constexpr unsigned kCpusAPartition = 4;
// What a job of 200 bytes leaves in the log: its record and its events with the commit, and its row with a
// checkpoint (100,000 jobs of `pqctl submit --ndjson`, the log's size); and what one of the ceiling's does.
constexpr double kLogBytes = 345;
constexpr double kCeilingBytes = 292;

std::optional<double> median_of(const std::vector<RowResult>& rows, const std::string& row,
                                const std::string& who, const std::string& figure) {
  for (const RowResult& result : rows) {
    if (result.row != row || result.comparisons.empty()) continue;
    for (const Line& line : result.comparisons.front().lines)
      if (const Figure* found = line.who == who ? line.figure(figure) : nullptr) return found->median();
  }
  return std::nullopt;
}

}  // namespace

double Expected::least() const { return std::min({by_cpus, by_partitions, by_log}); }

const char* Expected::bound() const {
  if (by_log <= by_cpus && by_log <= by_partitions) return "the log";
  return by_partitions < by_cpus ? "the partitions" : "the CPUs";
}

Expected expected_submits(const SubmitCosts& costs, unsigned cpus, unsigned partitions) {
  return {cpus * kNsASecond / costs.engine_ns,
          partitions * kNsASecond / std::max(costs.worker_ns, costs.checkpointer_ns),
          costs.log_jobs * kCeilingBytes / kLogBytes};
}

std::string scaling_of(const std::vector<RowResult>& rows) {
  const auto cost = [&rows](const char* part) { return median_of(rows, "cost", part, "ns/job"); };
  const auto engine = cost("the whole engine"), worker = cost("worker, all of it"),
             checkpointer = cost("checkpointer, all of it");
  const auto log = median_of(rows, "durable-submit", "RocksDB alone", kJobsASecond);
  const auto here = median_of(rows, "durable-submit", "pqd", kJobsASecond);
  if (!engine || !worker || !checkpointer || !log || !here) return "";
  const SubmitCosts costs{*engine, *worker, *checkpointer, *log};
  std::string text =
      "durable submits a second of 200 bytes, expected of more CPUs like these and one disk like this\n";
  const auto add = [&text](const std::string& cpus, const std::string& partitions, const std::string& by_cpus,
                           const std::string& by_partitions, const std::string& by_log,
                           const std::string& least, const std::string& bound) {
    char line[160];
    std::snprintf(line, sizeof line, "  %4s  %10s  %10s  %16s  %8s  %8s  %s\n", cpus.c_str(),
                  partitions.c_str(), by_cpus.c_str(), by_partitions.c_str(), by_log.c_str(), least.c_str(),
                  bound.c_str());
    text += line;
  };
  add("CPUs", "partitions", "CPUs allow", "partitions allow", "the log", "expected", "bound by");
  for (unsigned cpus = 2; cpus <= 128; cpus *= 2) {
    const unsigned partitions = std::max(1u, cpus / kCpusAPartition);
    const Expected expected = expected_submits(costs, cpus, partitions);
    add(std::to_string(cpus), std::to_string(partitions), short_number(expected.by_cpus),
        short_number(expected.by_partitions), short_number(expected.by_log), short_number(expected.least()),
        expected.bound());
  }
  char found[120];
  std::snprintf(found, sizeof found,
                "  measured here, 2 CPUs and one partition: %s, %.2f of what is expected\n",
                short_number(*here).c_str(), *here / expected_submits(costs, 2, 1).least());
  return text + found;
}

}  // namespace pqd::bench
