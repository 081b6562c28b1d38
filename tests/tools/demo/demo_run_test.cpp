// The whole demonstration on a small tree, as a program in a pipe.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bindings/cpp/deadline.h"
#include "tools/demo/child.h"
#include "tools/demo/scratch.h"

namespace pqd::demo {
namespace {

constexpr int kFiles = 600;
constexpr auto kWatchdog = std::chrono::seconds(200);

class ADemonstration : public testing::Test {
 protected:
  void SetUp() override {
    auto scratch = Scratch::create();
    ASSERT_TRUE(scratch) << scratch.error();
    scratch_.emplace(std::move(*scratch));
    std::filesystem::create_directory(scratch_->file("tree"));
    for (int i = 0; i < kFiles; ++i)
      std::ofstream(scratch_->file("tree/" + std::to_string(i))) << "file " << i;
    // What the run makes is made here, so that a leftover is seen.
    std::filesystem::create_directory(scratch_->file("tmp"));
    ::setenv("TMPDIR", scratch_->file("tmp").c_str(), 1);
  }
  void TearDown() override { ::unsetenv("TMPDIR"); }

  void start() {
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    auto child = Child::start({PQD_BIN_DIR "/pqd-demo", scratch_->file("tree")},
                              {-1, pipe->write.get(), pipe->write.get()}, SIGTERM);
    ASSERT_TRUE(child) << child.error();
    child_ = std::move(*child);
    output_ = std::move(pipe->read);
  }
  // Until the program has ended and nobody that it started can write to its output any more.
  void hear_out() {
    const Deadline deadline = Deadline::in(kWatchdog);
    while (!deadline.passed()) {
      pollfd fd{output_.get(), POLLIN, 0};
      if (::poll(&fd, 1, static_cast<int>(deadline.left().count())) != 1) break;
      std::array<char, 4096> piece;
      const ssize_t got = ::read(output_.get(), piece.data(), piece.size());
      if (got <= 0) break;
      text_.append(piece.data(), static_cast<size_t>(got));
    }
    while (child_.running() && !deadline.passed()) ::poll(nullptr, 0, 10);
  }
  bool left_nothing() const { return std::filesystem::is_empty(scratch_->file("tmp")); }

  std::optional<Scratch> scratch_;
  Child child_;
  UniqueFd output_;
  std::string text_;
};

TEST_F(ADemonstration, LosesNothingAndCleansUp) {
  start();
  hear_out();
  EXPECT_EQ(child_.status(), 0) << text_;
  EXPECT_NE(text_.find("PASSED"), std::string::npos) << text_;
  EXPECT_NE(text_.find("SHA-256 of 600 files"), std::string::npos) << text_;
  EXPECT_EQ(text_.find('\r'), std::string::npos) << "progress in a pipe";
  EXPECT_TRUE(left_nothing());
}

TEST_F(ADemonstration, CleansUpWhenItIsInterrupted) {
  start();
  // Wherever it is by then.
  const Deadline deadline = Deadline::in(kWatchdog);
  while (left_nothing() && child_.running() && !deadline.passed()) ::poll(nullptr, 0, 1);
  child_.signal(SIGINT);
  hear_out();
  ASSERT_TRUE(child_.status());
  EXPECT_TRUE(WIFEXITED(*child_.status()) && WEXITSTATUS(*child_.status()) == 128 + SIGINT) << text_;
  EXPECT_TRUE(left_nothing());
}

TEST_F(ADemonstration, SaysWhatIsWrongWhenThereIsNothingToHash) {
  std::filesystem::remove_all(scratch_->file("tree"));
  start();
  hear_out();
  ASSERT_TRUE(child_.status());
  EXPECT_EQ(WEXITSTATUS(*child_.status()), 1);
  EXPECT_NE(text_.find("FAILED: there are no files to hash"), std::string::npos) << text_;
}

}  // namespace
}  // namespace pqd::demo
