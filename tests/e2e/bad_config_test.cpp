// A configuration that is not good: told with its place, and nothing was started or made.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/e2e/with_pqctl.h"

namespace pqd::test {
namespace {

constexpr int kConfig = 78;

class BadConfig : public testing::Test {
 protected:
  // pqd on a directory of its own, which it must not have made. What it said.
  std::string start_fails(const std::string& toml, std::vector<std::string> environment = {}) {
    write_file(file(), toml);
    return start_fails_with(file(), std::move(environment));
  }
  std::string start_fails_with(const std::string& path, std::vector<std::string> environment = {}) {
    const Ran ran = run({PQD_BIN_DIR "/pqd", "--dev", "--dir", directory_.path("pqd"), "--config", path},
                        std::move(environment));
    EXPECT_EQ(ran.exit, kConfig) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_FALSE(std::filesystem::exists(directory_.path("pqd"))) << "made a directory for nothing";
    return ran.err;
  }
  std::string file() const { return directory_.path("pqd.toml"); }

  TempDir directory_;
};

TEST_F(BadConfig, NamesAKeyThatDoesNotExist) {
  EXPECT_EQ(start_fails("[daemon]\nlog_levle = \"info\"\n"),
            file() + ":2:1: there is no setting log_levle in [daemon] (did you mean log_level?)\n");
  EXPECT_EQ(start_fails("\n\n[que.mail]\n").substr(0, file().size() + 5), file() + ":3:2:");
}

TEST_F(BadConfig, NamesAValueOfTheWrongKind) {
  for (const std::string value : {"\"many\"", "1.5", "true", "[1]", "-1", "0", "99999999999999999999"}) {
    const std::string said = start_fails("[daemon]\nsessions_max = " + value + "\n");
    EXPECT_TRUE(said.starts_with(file() + ":2:")) << said;
  }
  EXPECT_TRUE(
      has(start_fails("[queue.mail]\nmax_active = 1\nqueue_timeout = \"soon\"\n"), ":3:17: queue_timeout"));
  EXPECT_TRUE(has(start_fails("[daemon]\nevent_loop = \"iouring\"\n"), "event_loop is one of"));
}

TEST_F(BadConfig, NamesThePlaceWhereTheFileStopsBeingToml) {
  for (const std::string text : {"[daemon\n", "[daemon]\nsessions_max 5\n", "a = \"\xff\"\n"}) {
    const std::string said = start_fails(text);
    EXPECT_TRUE(said.starts_with(file() + ":")) << said;
  }
}

TEST_F(BadConfig, NamesEveryFaultAtOnce) {
  EXPECT_EQ(line_count(start_fails("[daemon]\nsessions_max = 0\nsokcet = \"\"\n[queue.\"a/b\"]\n[stroe]\n")),
            4u);
}

TEST_F(BadConfig, NamesAFileThatIsNotThere) {
  EXPECT_EQ(start_fails_with(file()), file() + ":1:1: cannot be read: No such file or directory\n");
  EXPECT_TRUE(has(start_fails_with(directory_.path()), "Is a directory"));
}

TEST_F(BadConfig, NamesAFileThatMayNotBeRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  write_file(file(), "");
  ::chmod(directory_.path().c_str(), 0755);
  ::chmod(file().c_str(), 0600);
  const Ran ran = run({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PQD_BIN_DIR "/pqd",
                       "--check-config", "--config", file()});
  EXPECT_EQ(ran.exit, kConfig) << ran.err;
  EXPECT_EQ(ran.err, file() + ":1:1: cannot be read: Permission denied\n");
}

TEST_F(BadConfig, NamesTheVariableThatIsWrong) {
  EXPECT_TRUE(start_fails("", {"PQD_DAEMON__LOG_LEVEL=loud"})
                  .starts_with("environment PQD_DAEMON__LOG_LEVEL: log_level is one of"));
  EXPECT_TRUE(
      start_fails("", {"PQD_DEAMON__LOG_LEVEL=info"}).starts_with("environment PQD_DEAMON__LOG_LEVEL: "));
  EXPECT_TRUE(
      start_fails("", {"PQD_DAEMON__LOG_LEVLE=info"}).starts_with("environment PQD_DAEMON__LOG_LEVLE: "));
  EXPECT_TRUE(start_fails("", {"PQD_QUEUE__MAIL__MAX_DEPTH=-3"})
                  .starts_with("environment PQD_QUEUE__MAIL__MAX_DEPTH: "));
}

TEST_F(BadConfig, IsToldByPqctlToo) {
  write_file(file(), "[daemon]\nsessions_max = 0\n");
  for (const auto& words : std::vector<std::vector<std::string>>{{"config", "check", file()},
                                                                 {"config", "show", "--config", file()}}) {
    const Ran ran = run(pqctl_words(words));
    EXPECT_EQ(ran.exit, kConfig);
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with(file() + ":2:16: sessions_max is a whole number from 1")) << ran.err;
  }
}

TEST(WrongUse, OfPqdEndsWith64AndSaysWhatIsWrong) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{{{"--nonsense"}, "--nonsense"},
                                                                            {{"surplus"}, "surplus"},
                                                                            {{"--dir", "/tmp"}, "--dev"},
                                                                            {{"--config"}, "--config"}};
  for (auto [words, part] : cases) {
    words.insert(words.begin(), PQD_BIN_DIR "/pqd");
    const Ran ran = run(words);
    EXPECT_EQ(ran.exit, 64) << part;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(has(ran.err, part)) << ran.err;
  }
}

TEST(WrongUse, OfPqctlEndsWith64AndPointsToTheHelp) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "a command is missing"},
      {{"sumbit", "t"}, "did you mean submit?"},
      {{"queue", "puase", "q"}, "did you mean pause?"},
      {{"submit"}, "TYPE"},
      {{"submit", "t", "--nonsense"}, "--nonsense"},
      {{"submit", "t", "p", "surplus"}, "surplus"},
      {{"submit", "t", "--delay", "1s", "--at", "2026-01-31T12:00:00Z"}, "--at"},
      {{"submit", "--ndjson", "-", "--wait"}, "--wait"},
      {{"ls", "--limit", "0"}, "--limit"},
      {{"ls", "-o", "xml"}, "table, json or jsonl"},
      {{"ls", "--timeout", "soon"}, "duration"},
      {{"work", "t"}, "behind --"},
      {{"work", "t", "--", "/no/such/program"}, "/no/such/program"},
  };
  for (const auto& [words, part] : cases) {
    const Ran ran = run(pqctl_words(words), {"PQD_SOCKET=/nonexistent/pqd.sock"});
    EXPECT_EQ(ran.exit, 64) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with("pqctl: ") && has(ran.err, part)) << part << " in\n" << ran.err;
    EXPECT_EQ(line_count(ran.err), 1u) << ran.err;
  }
}

}  // namespace
}  // namespace pqd::test
