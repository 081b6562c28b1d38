#include "tools/demo/report.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "tools/demo/figures.h"

namespace pqd::demo {
namespace {

// Longer pauses than this are not the kill's.
constexpr TimeNs kPauseWithin = 30 * kSecondNs;

std::string line(const char* label, const std::string& value, const char* note = "") {
  char text[128];
  std::snprintf(text, sizeof text, "  %-27s %11s  %s", label, value.c_str(), note);
  std::string whole = text;
  while (whole.ends_with(' ')) whole.pop_back();
  return whole + "\n";
}

std::string line(const char* label, size_t count, const char* note = "") {
  return line(label, std::to_string(count), note);
}

std::string rate(double per_s) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f /s", per_s);
  return text;
}

std::string duration(int64_t ns) {
  const double ms = static_cast<double>(ns) / 1e6;
  char text[32];
  std::snprintf(text, sizeof text,
                ms < 10      ? "%.2f ms"
                : ms < 1'000 ? "%.0f ms"
                             : "%.1f s",
                ms < 1'000 ? ms : ms / 1'000);
  return text;
}

std::string latencies(const char* label, const std::vector<int64_t>& took_ns) {
  return line((std::string(label) + ", p50").c_str(), duration(percentile(took_ns, 50))) +
         line((std::string(label) + ", p99").c_str(), duration(percentile(took_ns, 99)));
}

}  // namespace

std::string render_table(const Verdict& verdict, const Tally& tally, const KnownJobs& jobs,
                         const Kills& kills) {
  std::vector<TimeNs> finished_ns;
  std::vector<int64_t> took_ns;
  TimeNs first_ns = std::numeric_limits<TimeNs>::max();
  for (const auto& [id, job] : jobs) {
    if (job.state != JobState::kCompleted) continue;
    finished_ns.push_back(job.finished_ns);
    took_ns.push_back(job.finished_ns - job.created_ns);
    first_ns = std::min(first_ns, job.created_ns);
  }
  const TimeNs last_ns = finished_ns.empty() ? 0 : *std::ranges::max_element(finished_ns);
  const double whole_s = std::max(static_cast<double>(last_ns - first_ns) / 1e9, 1e-9);
  const double jobs_per_s = finished_ns.empty() ? 0 : static_cast<double>(finished_ns.size()) / whole_s;
  const TimeNs window =
      kills.consumer_ns > kills.engine_ns ? kills.consumer_ns - kills.engine_ns : kPauseWithin;
  const bool killed = kills.engine_ns != 0;

  return line("jobs submitted", verdict.submitted) + line("completed", verdict.completed) +
         line("delivered more than once", verdict.delivered_again, "the dead consumer's") +
         line("lost", verdict.lost, "must be 0") + line("wrong", verdict.wrong, "must be 0") +
         line("files that changed meanwhile", verdict.skipped, "not compared") +
         line("durable submits", rate(tally.submits_per_s()), "first half, before the kills") +
         line("jobs", rate(jobs_per_s), "kills included") +
         latencies("submit to durable", tally.durable_took_ns) + latencies("submit to result", took_ns) +
         line("pause by the engine's death",
              killed ? duration(longest_gap(finished_ns, kills.engine_ns, std::min(window, kPauseWithin)))
                     : "-");
}

std::string render_verdict(const Verdict& verdict, const ctl::Colour& colour) {
  if (verdict.passed()) {
    return colour.paint(ctl::Tone::kGood, "PASSED") +
           ": two processes killed, nothing lost, every result is sha256sum's.\n";
  }
  std::string text = colour.paint(ctl::Tone::kBad, "FAILED") + ": ";
  for (size_t i = 0; i < verdict.complaints.size(); ++i) text += (i == 0 ? "" : "; ") + verdict.complaints[i];
  return text + ".\n";
}

}  // namespace pqd::demo
