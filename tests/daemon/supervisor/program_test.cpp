// The program pqd as people run it, with the stand-in where the engine's library belongs: beside the program.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "tests/daemon/supervisor/fixtures.h"

namespace pqd::supervisor_test {
namespace {

// A directory as `make install` could have left it.
class Installed {
 public:
  explicit Installed(bool with_engine = true) {
    std::filesystem::copy_file(PQD_PROGRAM, directory_.path("pqd"));
    if (with_engine) std::filesystem::copy_file(PQD_STAND_IN_ENGINE, directory_.path("libpqd-engine.so"));
  }
  std::string program() const { return directory_.path("pqd"); }
  std::string path(const std::string& name) const { return directory_.path(name); }

 private:
  TempDir directory_;
};

class Program {
 public:
  Program(const Installed& installed, std::vector<std::string> words)
      : out_path_(installed.path("out-" + std::to_string(::rand()))),
        err_path_(out_path_ + "-err"),
        child_([&] {
          ::dup2(::open(out_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
          ::dup2(::open(err_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
          ::setenv("XDG_RUNTIME_DIR", std::filesystem::path(installed.program()).parent_path().c_str(), 1);
          words.insert(words.begin(), "pqd");
          std::vector<char*> argv;
          for (std::string& word : words) argv.push_back(word.data());
          argv.push_back(nullptr);
          ::execv(installed.program().c_str(), argv.data());
          return 127;
        }) {}

  // The socket that its first line names.
  std::string wait_ready() {
    const std::string start = "pqd is ready: PQD_SOCKET=";
    const bool said = eventually([&] {
      const std::string text = out();
      return text.starts_with(start) && text.find('\n') != std::string::npos;
    });
    const std::string text = out();
    return said ? text.substr(start.size(), text.find('\n') - start.size()) : "";
  }
  std::string out() const { return read_text(out_path_); }
  std::string err() const { return read_text(err_path_); }
  void signal(int number) { child_.signal(number); }
  int wait() { return child_.wait(); }

 private:
  std::string out_path_;
  std::string err_path_;
  ChildProcess child_;
};

TEST(Program, TellsItsVersionAndUse) {
  const Installed installed;
  Program version(installed, {"--version"});
  EXPECT_EQ(version.wait(), 0);
  EXPECT_EQ(version.out(), "pqd " PQD_VERSION "\n");
  Program help(installed, {"--help"});
  EXPECT_EQ(help.wait(), 0);
  EXPECT_NE(help.out().find("--check-config"), std::string::npos);
}

TEST(Program, EndsWith64AndOneLineOfItsOwnWhenUsedWrongly) {
  const Installed installed;
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--nonsense"}, {"surplus"}, {"--dir", "/tmp"}, {"--config"}}) {
    Program program(installed, words);
    EXPECT_EQ(program.wait(), 64) << words.front();
    EXPECT_TRUE(program.err().starts_with("pqd: ")) << program.err();
    EXPECT_TRUE(program.err().ends_with("; see `pqd --help`\n")) << program.err();
    EXPECT_EQ(std::ranges::count(program.err(), '\n'), 1) << program.err();
  }
}

TEST(Program, SaysHowADirectoryIsNamedToWhoNamesOneWithDev) {
  const Installed installed;
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--dev", "/tmp/here"}, {"--dev=/tmp/here"}}) {
    Program program(installed, words);
    EXPECT_EQ(program.wait(), 64) << words.front();
    EXPECT_TRUE(program.err().ends_with(": a directory for --dev is named by --dir; see `pqd --help`\n"))
        << program.err();
  }
}

TEST(Program, ChecksAConfigurationAndNamesThePlaceOfEachFault) {
  const Installed installed;
  const std::string file = installed.path("pqd.toml");
  write_text(file, "[daemon]\nsessions_max = 5\n\n[queue.default]\nmax_depth = 3\n");
  Program good(installed, {"--check-config", "--config", file});
  EXPECT_EQ(good.wait(), 0) << good.err();
  write_text(file, "[daemon]\nsessions_max = 0\nstate_dir = \"here\"\nsesions_max = 3\n");
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--check-config", "--config", file}, {"--config", file}}) {
    Program bad(installed, words);
    EXPECT_EQ(bad.wait(), 78);
    for (const char* place : {":2:16: sessions_max", ":3:13: state_dir", ":4:1: there is no setting"})
      EXPECT_NE(bad.err().find(file + place), std::string::npos) << place << " in\n" << bad.err();
  }
  write_text(file, "[queue.mail]\nmax_dept = 3\n");
  Program queue(installed, {"--check-config", "--config", file});
  EXPECT_EQ(queue.wait(), 78);
  EXPECT_EQ(queue.err(),
            file + ":2:1: there is no setting max_dept in [queue.mail] (did you mean max_depth?)\n");
  write_text(file, "[daemon\n");
  Program broken(installed, {"--check-config", "--config", file});
  EXPECT_EQ(broken.wait(), 78);
  EXPECT_NE(broken.err().find(file + ":1:"), std::string::npos) << broken.err();
  Program missing(installed, {"--config", file + "-missing"});
  EXPECT_EQ(missing.wait(), 78);
  EXPECT_NE(missing.err().find("No such file"), std::string::npos) << missing.err();
}

TEST(Program, TakesItsEnvironmentOverItsFile) {
  const Installed installed;
  const std::string file = installed.path("pqd.toml");
  write_text(file, "[daemon]\nlog_level = \"info\"\n");
  ::setenv("PQD_DAEMON__LOG_LEVEL", "loud", 1);
  Program bad(installed, {"--check-config", "--config", file});
  ::setenv("PQD_DAEMON__LOG_LEVEL", "error", 1);
  Program quiet(installed, {"--dev", "--config", file});
  ::unsetenv("PQD_DAEMON__LOG_LEVEL");
  EXPECT_EQ(bad.wait(), 78);
  EXPECT_TRUE(bad.err().starts_with("environment PQD_DAEMON__LOG_LEVEL: log_level is one of")) << bad.err();
  EXPECT_NE(quiet.wait_ready(), "");
  quiet.signal(SIGTERM);
  EXPECT_EQ(quiet.wait(), 0);
  EXPECT_EQ(quiet.err(), "");
}

TEST(Program, HasAPrivateDirectoryInDevThatGoesWithACleanEnd) {
  const Installed installed;
  Program program(installed, {"--dev"});
  const std::string socket = program.wait_ready();
  ASSERT_NE(socket, "") << program.err();
  const auto directory = std::filesystem::path(socket).parent_path();
  struct stat status {};
  ASSERT_EQ(::stat(directory.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_TRUE(TestClient::open(socket));
  EXPECT_NE(program.out().find("\nexport PQD_SOCKET=" + socket + "\npqctl --socket " + socket + " health\n"),
            std::string::npos)
      << program.out();
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), 0) << program.err();
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST(Program, KeepsANamedDirectoryAndSharesItWithNobody) {
  const Installed installed;
  const std::string directory = installed.path("kept");
  Program first(installed, {"--dev", "--dir", directory});
  ASSERT_EQ(first.wait_ready(), directory + "/pqd.sock") << first.err();
  Program second(installed, {"--dev", "--dir", directory});
  EXPECT_EQ(second.wait(), 69);
  EXPECT_NE(second.err().find("another pqd (pid "), std::string::npos) << second.err();
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait(), 0);
  EXPECT_TRUE(std::filesystem::exists(directory + "/state/sessions"));
  EXPECT_FALSE(std::filesystem::exists(directory + "/pqd.sock"));
}

TEST(Program, QuotesAPathForTheShell) {
  const Installed installed;
  const std::string directory = installed.path("it's here");
  Program program(installed, {"--dev", "--dir", directory});
  ASSERT_EQ(program.wait_ready(), directory + "/pqd.sock") << program.err();
  EXPECT_NE(program.out().find("it'\\''s here/pqd.sock'"), std::string::npos) << program.out();
}

TEST(Program, SaysThatItsEngineIsMissing) {
  const Installed installed(false);
  Program program(installed, {"--dev"});
  EXPECT_EQ(program.wait(), 72);
  EXPECT_NE(program.err().find("install pqd again"), std::string::npos) << program.err();
}

TEST(Program, LeavesNothingBehindWhenItCannotStart) {
  const Installed installed;
  Program program(installed, {"--dev", "--dir", installed.path(std::string(120, 'x'))});
  EXPECT_EQ(program.wait(), 78) << program.err();
  Program other(installed, {"--dev"});
  ASSERT_NE(other.wait_ready(), "");
  other.signal(SIGTERM);
  EXPECT_EQ(other.wait(), 0);
}

TEST(Program, ReadsItsConfigurationAgainAtSighupToSayWhatItThinks) {
  const Installed installed;
  const std::string file = installed.path("pqd.toml");
  write_text(file, "[daemon]\nsessions_max = 5\n");
  Program program(installed, {"--dev", "--config", file});
  ASSERT_NE(program.wait_ready(), "") << program.err();
  program.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return program.err().find("restart pqd to apply") != std::string::npos; }));
  write_text(file, "[daemon]\nsessions_max = -5\n");
  program.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return program.err().find(file + ":2:16:") != std::string::npos; }));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
}

TEST(Program, LivesOnWhenNobodyReadsWhatItSays) {
  const Installed installed;
  const std::string directory = installed.path("dev");
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  ChildProcess deaf([&] {
    ::dup2(pipe[1], STDOUT_FILENO);
    ::dup2(pipe[1], STDERR_FILENO);
    ::close(pipe[0]);
    ::execl(installed.program().c_str(), "pqd", "--dev", "--dir", directory.c_str(), nullptr);
    return 127;
  });
  ::close(pipe[0]);
  ::close(pipe[1]);
  EXPECT_TRUE(eventually([&] {
    return std::filesystem::exists(directory + "/pqd.sock") &&
           TestClient::open(directory + "/pqd.sock").has_value();
  }));
  deaf.signal(SIGTERM);
  EXPECT_EQ(deaf.wait(), 0);
}

}  // namespace
}  // namespace pqd::supervisor_test
