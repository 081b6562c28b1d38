// Runs docs/tour.md as somebody would type it, over a real daemon, and compares what it prints.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/readme/markdown.h"

namespace pqd::readme {
namespace {

namespace fs = std::filesystem;

class TheTour : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "pqd-tour-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    directory_ = path;
  }
  void TearDown() override { fs::remove_all(directory_); }

  // Each block of commands prints into a file of its own.
  void write_script(const std::vector<Block>& blocks) {
    std::ofstream out(directory_ / "script");
    out << "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\nPATH=" PQD_BIN_DIR ":$PATH\n";
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i].language != "sh") continue;
      out << "exec >" << output_of(i).string() << '\n';
      for (const std::string& line : blocks[i].lines) out << line << '\n';
    }
  }
  fs::path output_of(size_t block) const { return directory_ / ("output" + std::to_string(block)); }

  fs::path directory_;
};

TEST_F(TheTour, PrintsWhatItSays) {
  const auto blocks = parse_blocks(read_file(PQD_SOURCE_DIR "/docs/tour.md"));
  ASSERT_GT(blocks.size(), 5u);
  write_script(blocks);
  const int status = std::system(
      ("cd " + directory_.string() + " && timeout --kill-after=20 120 bash script 2>errors </dev/null")
          .c_str());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << read_file(directory_ / "errors");
  // What a block prints is in the block of text behind it.
  for (size_t i = 1; i < blocks.size(); ++i) {
    if (blocks[i].language != "text") continue;
    ASSERT_EQ(blocks[i - 1].language, "sh");
    const std::string printed = read_file(output_of(i - 1));
    for (const std::string& line : blocks[i].lines)
      EXPECT_NE(printed.find(line), std::string::npos) << line << " is not in:\n" << printed;
  }
}

}  // namespace
}  // namespace pqd::readme
