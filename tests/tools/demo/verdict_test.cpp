#include "tools/demo/verdict.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tools/demo/consumer.h"
#include "tools/demo/report.h"
#include "tools/demo/scratch.h"

namespace pqd::demo {
namespace {

// A run of three files that went well; each test spoils something.
class AVerdict : public testing::Test {
 protected:
  void SetUp() override {
    auto scratch = Scratch::create();
    ASSERT_TRUE(scratch) << scratch.error();
    scratch_.emplace(std::move(*scratch));
    for (const char* name : {"a", "b", "c"}) std::ofstream(scratch_->file(name)) << name;
    files_ = find_files({scratch_->path()}, 0);
    for (uint32_t i = 0; i < 3; ++i) {
      tally_.take({Event::Kind::kDurable, i, id(i), 10, 5});
      tally_.take({Event::Kind::kSettled, 0, id(i), 20, 0});
      jobs_[id(i)] = {JobState::kCompleted, 1, 1'000'000 * i, 5'000'000, digest(i)};
      digests_[files_[i].path] = digest(i);
    }
  }
  static JobId id(uint32_t file) { return {1, file + 1}; }
  static std::string digest(uint32_t file) { return std::string(64, static_cast<char>('a' + file)); }
  Verdict verdict() const { return judge(files_, tally_, jobs_, digests_); }

  std::optional<Scratch> scratch_;
  std::vector<ListedFile> files_;
  Tally tally_{3};
  KnownJobs jobs_;
  Digests digests_;
};

TEST_F(AVerdict, PassesWhenAllIsWell) {
  EXPECT_TRUE(verdict().passed());
  EXPECT_EQ(verdict().submitted, 3u);
  EXPECT_EQ(verdict().completed, 3u);
}

TEST_F(AVerdict, FailsOnAWrongResult) {
  jobs_[id(1)].result = digest(2);
  EXPECT_EQ(verdict().wrong, 1u);
  EXPECT_FALSE(verdict().passed());
}

TEST_F(AVerdict, FailsOnAnEmptyResult) {
  jobs_[id(1)].result.clear();
  EXPECT_EQ(verdict().wrong, 1u);
  EXPECT_FALSE(verdict().passed());
}

TEST_F(AVerdict, FailsOnALostJob) {
  jobs_.erase(id(1));
  EXPECT_EQ(verdict().lost, 1u);
  EXPECT_FALSE(verdict().passed());
}

TEST_F(AVerdict, FailsOnAJobThatDidNotComplete) {
  jobs_[id(1)].state = JobState::kFailed;
  EXPECT_EQ(verdict().lost, 1u);
  EXPECT_FALSE(verdict().passed());
}

TEST_F(AVerdict, FailsOnAFileThatWasNeverAcknowledged) {
  tally_.jobs[1] = {};
  jobs_.erase(id(1));
  EXPECT_EQ(verdict().lost, 0u);
  EXPECT_FALSE(verdict().passed());
}

TEST_F(AVerdict, FailsOnAJobThatNobodySubmitted) {
  jobs_[id(9)] = jobs_[id(1)];
  EXPECT_FALSE(verdict().passed());
}

TEST_F(AVerdict, FailsOnAJobCompletedTwice) {
  tally_.take({Event::Kind::kSettled, 0, id(1), 20, 0});
  EXPECT_FALSE(verdict().passed());
}

TEST_F(AVerdict, FailsOnAnUnreadableResultOfAFileThatCanBeRead) {
  jobs_[id(1)].result = kUnreadable;
  EXPECT_EQ(verdict().wrong, 1u);
}

TEST_F(AVerdict, ComparesNothingWhereTheFileChanged) {
  std::ofstream(files_[1].path) << "longer than before";
  digests_[files_[1].path] = digest(2);
  EXPECT_EQ(verdict().wrong, 0u);
  EXPECT_EQ(verdict().skipped, 1u);
  // One of three is too many to have shown anything.
  EXPECT_FALSE(verdict().passed());
}

TEST_F(AVerdict, CountsDeliveriesBeyondTheFirst) {
  jobs_[id(1)].attempts = 2;
  EXPECT_EQ(verdict().delivered_again, 1u);
  EXPECT_TRUE(verdict().passed());
}

TEST_F(AVerdict, IsShownWithoutColourInAPipeAndWithin80Columns) {
  const std::string text =
      render_table(verdict(), tally_, jobs_, {1, 2}) + render_verdict(verdict(), ctl::Colour(false));
  EXPECT_EQ(text.find('\033'), std::string::npos);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_NE(text.find("PASSED"), std::string::npos);
}

}  // namespace
}  // namespace pqd::demo
