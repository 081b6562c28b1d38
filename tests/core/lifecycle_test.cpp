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

// Every case that the page names for a row of the contract exists in these sources.
TEST(CoreReadme, NamesOnlyTestsThatExist) {
  const std::string text = readme();
  const std::string title = "| contract | tests |\n|---|---|\n";
  const size_t begin = text.find(title);
  ASSERT_NE(begin, std::string::npos);
  const std::string rows = text.substr(begin, text.find("\n\n", begin) - begin);
  std::set<std::string> known;
  const auto& unit = *::testing::UnitTest::GetInstance();
  for (int s = 0; s < unit.total_test_suite_count(); ++s) {
    const ::testing::TestSuite& suite = *unit.GetTestSuite(s);
    known.insert(suite.name());
    for (int t = 0; t < suite.total_test_count(); ++t)
      known.insert(std::string(suite.name()) + "." + suite.GetTestInfo(t)->name());
  }
  size_t named = 0;
  for (size_t at = rows.find('`'); at != std::string::npos; at = rows.find('`', at)) {
    const size_t end = rows.find('`', at + 1);
    const std::string name = rows.substr(at + 1, end - at - 1);
    EXPECT_TRUE(known.contains(name)) << name;
    ++named;
    at = end + 1;
  }
  EXPECT_GT(named, 30u);
}

}  // namespace
}  // namespace pqd
