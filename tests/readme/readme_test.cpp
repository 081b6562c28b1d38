// What README.md tells people to type is there and works.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>

#include "tests/readme/markdown.h"

namespace pqd::readme {
namespace {

namespace fs = std::filesystem;

const std::string kRoot = PQD_SOURCE_DIR;

int exit_status(const std::string& command) {
  const int status =
      std::system(("cd '" + kRoot + "' && " + command + " >/dev/null 2>&1 </dev/null").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::vector<std::string> commands_of_the_readme() {
  std::vector<std::string> commands;
  for (const Block& block : parse_blocks(read_file(kRoot + "/README.md"))) {
    EXPECT_EQ(block.language, "sh");
    commands.insert(commands.end(), block.lines.begin(), block.lines.end());
  }
  return commands;
}

TEST(TheReadme, ShowsExactlyTheTwoCommands) {
  EXPECT_EQ(commands_of_the_readme(), (std::vector<std::string>{"./tools/quickstart", "./tests/run"}));
}

// Running them here would run this test; what they do beyond reading their words is done by hand and by CI.
TEST(TheReadme, ShowsCommandsThatExplainThemselves) {
  for (const std::string& command : commands_of_the_readme()) {
    EXPECT_EQ(::access((kRoot + "/" + command).c_str(), X_OK), 0) << command;
    EXPECT_EQ(exit_status("bash -n " + command), 0) << command;
    EXPECT_EQ(exit_status(command + " --help"), 0) << command;
  }
}

TEST(TheReadme, LeadsOnlyToWhatIsThere) {
  for (const std::string page : {"README.md", "docs/tour.md"}) {
    const fs::path folder = fs::path(kRoot + "/" + page).parent_path();
    for (const std::string& link : local_links(read_file(kRoot + "/" + page))) {
      EXPECT_TRUE(fs::exists(folder / link)) << page << ": " << link;
    }
  }
}

// `pqctl COMMAND ...` in a sentence; what stands in blocks is run by the tour.
TEST(TheDocuments, NameOnlyCommandsThatPqctlHas) {
  const std::regex named("`pqctl ([a-z][a-z-]*( [a-z][a-z-]*)?)");
  std::set<std::string> commands;
  for (const char* folder : {"", "bindings", "core", "daemon", "docs", "shm", "tests", "tools"}) {
    for (fs::recursive_directory_iterator at(kRoot + "/" + folder), end; at != end; ++at) {
      if (*folder == '\0') at.disable_recursion_pending();
      if (at->path().extension() != ".md") continue;
      const std::string page = read_file(at->path());
      for (std::sregex_iterator match(page.begin(), page.end(), named), none; match != none; ++match)
        commands.insert((*match)[1]);
    }
  }
  EXPECT_GT(commands.size(), 10u);
  for (const std::string& command : commands)
    EXPECT_EQ(exit_status(PQD_BIN_DIR "/pqctl " + command + " --help"), 0) << command;
}

TEST(TestsRun, RefusesWordsThatItDoesNotKnow) {
  EXPECT_EQ(exit_status("./tests/run --prset dev"), 64);
  EXPECT_EQ(exit_status("./tests/run --preset"), 64);
  EXPECT_EQ(exit_status("./tests/run --preset release"), 64);
  EXPECT_EQ(exit_status("./tests/run -j none"), 64);
  EXPECT_EQ(exit_status("./tests/run one two"), 64);
  EXPECT_EQ(exit_status("./tests/run ratchet --wirte"), 64);
}

TEST(TheContinuousIntegration, RunsWhatTheReadmeRuns) {
  EXPECT_NE(read_file(kRoot + "/.ci/run").find("/../tests/run"), std::string::npos);
  EXPECT_EQ(exit_status("./.ci/run --help"), 0);
}

TEST(Bootstrap, InstallsWhatTheBuildLooksFor) {
  const std::string bootstrap = read_file(kRoot + "/tools/bootstrap");
  for (const char* package :
       {"libboost1.81-dev", "libboost-json1.81-dev", "libssl-dev", "libspdlog-dev", "libcli11-dev",
        "liburing-dev", "librocksdb-dev", "libgtest-dev", "libtomlplusplus-dev", "ninja-build", "pkg-config",
        "cmake", "g++", "libisal-dev", "valgrind"}) {
    EXPECT_NE(bootstrap.find(package), std::string::npos) << package;
  }
  EXPECT_EQ(exit_status("./tools/bootstrap --lin"), 64);
}

TEST(Blocks, AreFoundWithTheirLanguageAndLines) {
  const auto blocks = parse_blocks("text\n```sh\na\nb\n```\n```text\nc\n```\nmore\n");
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].language, "sh");
  EXPECT_EQ(blocks[0].lines, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(blocks[1].language, "text");
}

TEST(Links, LeaveOutOtherHostsAndPlacesWithinThePage) {
  EXPECT_EQ(local_links("[a](b/c) [d](https://e/f) [g](#h) [i](j.md#k)"),
            (std::vector<std::string>{"b/c", "j.md"}));
}

}  // namespace
}  // namespace pqd::readme
