#include "daemon/log/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "shm/unique_fd.h"

namespace pqd {
namespace {

// stderr into a file, as long as this lives.
class CapturedStderr {
 public:
  CapturedStderr() : before_(::dup(STDERR_FILENO)) {
    const UniqueFd file(::mkstemp(path_.data()));
    ::dup2(file.get(), STDERR_FILENO);
  }
  ~CapturedStderr() {
    ::dup2(before_.get(), STDERR_FILENO);
    ::unlink(path_.c_str());
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  std::string text() const {
    std::ifstream file(path_);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
  }

 private:
  std::string path_ = "/tmp/pqd-log-XXXXXX";
  UniqueFd before_;
};

class LogTest : public ::testing::Test {
 protected:
  void TearDown() override { ::unsetenv("JOURNAL_STREAM"); }
};

TEST_F(LogTest, WritesLevelAndProcessToStderr) {
  const CapturedStderr captured;
  open_log("engine", "info");
  spdlog::info("hello");
  spdlog::debug("too small");
  EXPECT_TRUE(captured.text().ends_with(" info engine: hello\n")) << captured.text();
}

TEST_F(LogTest, KnowsEveryLevelOfTheConfiguration) {
  for (const auto& [word, level] : {std::pair{"debug", spdlog::level::debug},
                                    {"info", spdlog::level::info},
                                    {"warn", spdlog::level::warn},
                                    {"error", spdlog::level::err}}) {
    open_log("engine", word);
    EXPECT_EQ(spdlog::default_logger()->level(), level) << word;
  }
}

TEST_F(LogTest, TakesStderrForTheJournalOnlyWhenItIs) {
  const CapturedStderr captured;
  EXPECT_FALSE(stderr_is_journal());
  struct stat status {};
  ASSERT_EQ(::fstat(STDERR_FILENO, &status), 0);
  const std::string device = std::to_string(status.st_dev);
  ::setenv("JOURNAL_STREAM", (device + ":" + std::to_string(status.st_ino)).c_str(), 1);
  EXPECT_TRUE(stderr_is_journal());
  // Inherited from a parent that the journal listens to, while our own stderr goes elsewhere.
  ::setenv("JOURNAL_STREAM", (device + ":" + std::to_string(status.st_ino + 1)).c_str(), 1);
  EXPECT_FALSE(stderr_is_journal());
  ::setenv("JOURNAL_STREAM", "nonsense", 1);
  EXPECT_FALSE(stderr_is_journal());
}

}  // namespace
}  // namespace pqd
