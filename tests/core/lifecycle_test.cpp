#include "core/lifecycle.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace pqd {
namespace {

std::string readme() {
  std::ifstream file(PQD_SOURCE_DIR "/core/README.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Lifecycle, FinishedStatesAreLeftByNoStep) {
  for (const LifecycleRow& row : kLifecycle) EXPECT_FALSE(is_finished(row.from)) << row.label;
}

TEST(Lifecycle, TableNamesEachStepFromAStateOnce) {
  std::set<std::pair<JobState, Step>> seen;
  for (const LifecycleRow& row : kLifecycle) {
    EXPECT_TRUE(seen.emplace(row.from, row.step).second) << row.label;
    EXPECT_EQ(next_state(row.from, row.step), row.to);
  }
  for (int from = 0; from < kJobStateCount; ++from) {
    for (int step = 0; step <= static_cast<int>(Step::kRelease); ++step) {
      const auto key = std::pair(static_cast<JobState>(from), static_cast<Step>(step));
      EXPECT_EQ(next_state(key.first, key.second).has_value(), seen.contains(key)) << from << ' ' << step;
    }
  }
}

TEST(LifecycleDeathTest, StepThatIsNotAllowedAborts) {
  JobCore job;
  job.state = JobState::kCompleted;
  EXPECT_DEATH(take(job, Step::kAssign), "");
}

TEST(Lifecycle, DrawingInTheReadmeIsMadeFromTheTable) {
  EXPECT_NE(readme().find("```mermaid\n" + lifecycle_diagram() + "```"), std::string::npos)
      << "put this into core/README.md:\n"
      << lifecycle_diagram();
}

TEST(Lifecycle, TableInTheReadmeIsTheTable) {
  const std::string text = readme();
  const std::string title = "| from | step | to |\n|---|---|---|\n";
  const size_t begin = text.find(title);
  ASSERT_NE(begin, std::string::npos);
  std::string wanted;
  for (const LifecycleRow& row : kLifecycle) {
    wanted.append("| ").append(state_name(row.from)).append(" | ").append(row.label);
    wanted.append(" | ").append(state_name(row.to)).append(" |\n");
  }
  const std::string rows = text.substr(begin + title.size());
  EXPECT_EQ(rows.substr(0, rows.find("\n\n") + 1), wanted);
}

}  // namespace
}  // namespace pqd
