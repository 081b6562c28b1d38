#include "core/lifecycle.h"

#include <cstdlib>
#include <string>

namespace pqd {
namespace {

constexpr size_t kStepCount = 9;
using Table = std::array<std::array<uint8_t, kStepCount>, kJobStateCount>;
constexpr uint8_t kNotAllowed = 0xFF;

constexpr Table make_table() {
  Table table{};
  for (auto& row : table) row.fill(kNotAllowed);
  for (const LifecycleRow& row : kLifecycle) {
    table[static_cast<size_t>(row.from)][static_cast<size_t>(row.step)] = static_cast<uint8_t>(row.to);
  }
  return table;
}
constexpr Table kTable = make_table();

}  // namespace

std::optional<JobState> next_state(JobState from, Step step) {
  const uint8_t to = kTable[static_cast<size_t>(from)][static_cast<size_t>(step)];
  if (to == kNotAllowed) return std::nullopt;
  return static_cast<JobState>(to);
}

void take(JobCore& job, Step step) {
  const auto to = next_state(job.state, step);
  if (!to) std::abort();
  job.state = *to;
}

std::string lifecycle_diagram() {
  std::string text = "stateDiagram-v2\n  [*] --> pending: submit\n";
  for (const LifecycleRow& row : kLifecycle) {
    if (row.step == Step::kReady) continue;
    text.append("  ").append(state_name(row.from)).append(" --> ").append(state_name(row.to));
    text.append(": ").append(row.label).append("\n");
  }
  for (const JobState end : {JobState::kFailed, JobState::kTimeout}) {
    text.append("  ").append(state_name(end)).append(" --> pending: redrive\n");
  }
  return text;
}

}  // namespace pqd
