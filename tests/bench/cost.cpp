// What a job costs the engine, and which part of it: the CPU time of all its threads, by the kernel's count,
// divided as perf has seen it.
#include <algorithm>

#include "tests/bench/engine_profile.h"
#include "tests/bench/own_loads.h"
#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

constexpr const char* kNsAJob = "ns/job";
constexpr const char* kShare = "% of the engine";
// Below so much of it a part is none that anybody looks for.
constexpr double kShareLeast = 0.5;

Line& line_of(std::vector<Line>& lines, const std::string& part) {
  for (Line& line : lines)
    if (line.who == part) return line;
  return lines.emplace_back(Line{part, "", true});
}

void add_parts(std::vector<Line>& parts, const PartCounts& counts, double ns_a_job) {
  uint64_t all = 0;
  for (const auto& [part, count] : counts) all += count;
  PartCounts with_threads = counts;
  for (const auto& [part, count] : counts)
    with_threads[part.substr(0, part.find(':')) + ", all of it"] += count;
  for (const auto& [part, count] : with_threads) {
    const double share = static_cast<double>(count) / static_cast<double>(all);
    Line& line = line_of(parts, part);
    line.add(kNsAJob, share * ns_a_job);
    line.add(kShare, share * 100);
  }
}

template <class Add>
Comparison measure_one(const Plan& plan, const std::string& title, const std::string& doer, Add add) {
  Comparison comparison{title, Tier::kGroupCommit};
  Line whole{"the whole engine", "CPU time of all its threads; " + std::string(kOwnSetting), true};
  std::vector<Line> parts;
  repeat(plan, whole, [&](Line& line) -> std::string {
    OwnDaemon daemon;
    if (std::string fault = daemon.start(); !fault.empty()) return fault;
    const pid_t engine = daemon.daemon().engine();
    Sides sides;
    add(sides, daemon.socket());
    EngineProfile profile(engine);
    const uint64_t before = cpu_ns_of(engine);
    if (!sides.run(plan.seconds)) return sides.fault();
    const double ns_a_job = static_cast<double>(cpu_ns_of(engine) - before) /
                            std::max(1.0, static_cast<double>(sides.count_of(doer)));
    line.add(kNsAJob, ns_a_job);
    add_parts(parts, profile.finish(), ns_a_job);
    return "";
  });
  std::erase_if(parts, [](const Line& line) { return line.figure(kShare)->median() < kShareLeast; });
  std::ranges::sort(parts, std::ranges::greater(),
                    [](const Line& line) { return line.figure(kNsAJob)->median(); });
  comparison.lines.push_back(std::move(whole));
  comparison.lines.insert(comparison.lines.end(), parts.begin(), parts.end());
  return comparison;
}

}  // namespace

std::vector<Comparison> measure_cost(const Plan& plan) {
  return {measure_one(plan, "what a durable submit of 200 bytes costs the engine, 1 producer", "producer",
                      [](Sides& sides, const std::string& socket) { add_producer(sides, socket); }),
          measure_one(plan, "what a whole life of 200 bytes costs the engine", "consumer", add_whole_lives)};
}

}  // namespace pqd::bench
