// `pqctl config` and `pqctl doctor` as people run them.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/program.h"
#include "tools/pqctl/json_text.h"

namespace pqd::test {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class ConfigCommandTest : public ::testing::Test {
 protected:
  std::string file(const std::string& text) {
    std::ofstream(directory_.path("pqd.toml")) << text;
    return directory_.path("pqd.toml");
  }
  // A configuration whose state directory is this test's.
  std::string file_with_state(const std::string& more = "") {
    ::mkdir(directory_.path("state").c_str(), 0700);
    return file("[daemon]\nstate_dir = \"" + directory_.path("state") + "\"\nsessions_max = 5\n" + more);
  }
  static Ran pqctl(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    arguments.insert(arguments.begin(), PQD_BIN_DIR "/pqctl");
    environment.insert(environment.begin(), "PQD_SOCKET=/nonexistent/pqd.sock");
    return run(std::move(arguments), std::move(environment));
  }
  static boost::json::object object(const std::string& text) {
    const auto value = ctl::parse_json(text);
    EXPECT_TRUE(value && value->is_object()) << text;
    return value && value->is_object() ? value->get_object() : boost::json::object();
  }

  TempDir directory_;
};
using DoctorCommandTest = ConfigCommandTest;

TEST_F(ConfigCommandTest, SaysInOneLineThatAFileIsGood) {
  const std::string path = file("[queue.mail]\nmax_active = 3\n");
  const Ran ran = pqctl({"config", "check", path});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, path + " is good\n");
  EXPECT_EQ(ran.err, "");
}

TEST_F(ConfigCommandTest, TellsEveryFaultWithItsPlaceAndEndsWith78) {
  const std::string path = file("[daemon]\nsessions_max = 0\nsoket = \"/x\"\n");
  const Ran ran = pqctl({"config", "check", path});
  EXPECT_EQ(ran.exit, 78);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, path + ":2:16: sessions_max is a whole number from 1 to 100000, not 0\n" + path +
                         ":3:1: there is no setting soket in [daemon] (did you mean socket?)\n");
  const Ran json = pqctl({"config", "check", path, "-o", "json"});
  EXPECT_EQ(json.exit, 78);
  EXPECT_EQ(object(json.out).at("good").as_bool(), false);
  EXPECT_EQ(object(json.out).at("faults").as_array().size(), 2u);
}

TEST_F(ConfigCommandTest, ChecksAFileByItselfNotOurEnvironment) {
  const Ran ran = pqctl({"config", "check", file("")}, {"PQD_DAEMON__LOG_LEVEL=loud"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
}

TEST_F(ConfigCommandTest, SaysWhichFileItCannotRead) {
  const Ran ran = pqctl({"config", "check", "/nonexistent/pqd.toml"});
  EXPECT_EQ(ran.exit, 78);
  EXPECT_EQ(ran.err, "/nonexistent/pqd.toml:1:1: cannot be read: No such file or directory\n");
}

TEST_F(ConfigCommandTest, ShowsWhatIsInForceSoThatItCanBeReadAgain) {
  const std::string path = file("[queue.mail]\nmax_active = 3\n");
  const Ran shown = pqctl({"config", "show", "--config", path}, {"PQD_DAEMON__LOG_LEVEL=warn"});
  EXPECT_EQ(shown.exit, 0) << shown.err;
  EXPECT_TRUE(has(shown.out, "log_level = \"warn\"\n"));
  EXPECT_TRUE(has(shown.out, "[queue.mail]\n"));
  const Ran again = pqctl({"config", "show", "--config", file(shown.out)});
  EXPECT_EQ(again.out, shown.out);
}

TEST_F(ConfigCommandTest, ShowsItAsJson) {
  const std::string path = file("[queue.mail]\nmax_active = 3\nqueue_timeout = 0\n");
  const auto shown = object(pqctl({"config", "show", "--config", path, "-o", "json"}).out);
  EXPECT_EQ(shown.at("daemon").at("session_memory_bytes").to_number<uint64_t>(), 4ull << 30);
  EXPECT_EQ(shown.at("queues").at("strict").as_bool(), false);
  EXPECT_EQ(shown.at("queues").at("defaults").at("processing_timeout").as_string(), "1m");
  EXPECT_EQ(shown.at("queue").at("mail").at("max_active").to_number<int>(), 3);
  EXPECT_EQ(shown.at("queue").at("mail").at("queue_timeout").as_string(), "0");
  EXPECT_EQ(shown.at("store").at("checkpoint_interval").as_string(), "1s");
}

TEST_F(ConfigCommandTest, ShowsTheSameTablesAndKeysInBothForms) {
  const std::string path = file(
      "[queue.mail]\nfair = \"user\"\n[queue.mail.user_weights]\n0 = 3\n[queue.mail.key_weights]\nacme = 2\n"
      "[limits.user_rates]\n0 = 500\n[access.user.0]\nproducer = [\"mail\", \"shop.*\"]\nadmin = true\n"
      "[access.group.0]\noperator = true\n");
  const Ran table = pqctl({"config", "show", "--config", path});
  ASSERT_EQ(table.exit, 0) << table.err;
  const auto json = object(pqctl({"config", "show", "--config", path, "-o", "json"}).out);
  std::istringstream lines(table.out);
  const boost::json::object* at = nullptr;
  size_t tables = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) {
      at = &json;
      ++tables;
      std::istringstream names(line.substr(1, line.size() - 2));
      for (std::string name; at != nullptr && std::getline(names, name, '.');) {
        const auto* const inner = at->if_contains(name);
        at = inner == nullptr ? nullptr : inner->if_object();
      }
      EXPECT_NE(at, nullptr) << line;
    } else if (at != nullptr && !line.empty()) {
      EXPECT_TRUE(at->contains(line.substr(0, line.find(' ')))) << line;
    }
  }
  EXPECT_EQ(tables, 12u) << table.out;
  ASSERT_TRUE(json.contains("access"));
  EXPECT_EQ(json.at("access").at("user").at("0").at("producer").as_array(),
            (boost::json::array{"mail", "shop.*"}));
  EXPECT_EQ(json.at("access").at("group").at("0").at("operator"), true);
  EXPECT_EQ(json.at("limits").at("user_rates").at("0"), 500);
  EXPECT_EQ(json.at("queue").at("mail").at("user_weights").at("0"), 3);
  EXPECT_EQ(json.at("queue").at("mail").at("key_weights").at("acme"), 2);
}

TEST_F(ConfigCommandTest, ShowsNothingOfABadOne) {
  const Ran ran = pqctl({"config", "show", "--config", file("[deamon]\n")});
  EXPECT_EQ(ran.exit, 78);
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(has(ran.err, "did you mean daemon?")) << ran.err;
}

TEST_F(ConfigCommandTest, IsInHelpAndCompletion) {
  EXPECT_EQ(pqctl({"config"}).exit, 64);
  EXPECT_TRUE(has(pqctl({"config", "chek", "f"}).err, "did you mean check?"));
  for (const auto& words : std::vector<std::vector<std::string>>{{"config", "--help"},
                                                                 {"config", "check", "--help"},
                                                                 {"config", "show", "--help"},
                                                                 {"doctor", "--help"}})
    EXPECT_TRUE(has(pqctl(words).out, "Example:\n  pqctl ")) << words.front();
  const std::string script = pqctl({"completion", "bash"}).out;
  EXPECT_TRUE(has(script, "'config') words=' check show ")) << script;
  EXPECT_TRUE(has(script, "'doctor') words=' --help --config'")) << script;
}

TEST_F(DoctorCommandTest, WorksWithoutADaemonAndSaysHowToStartOne) {
  const Ran ran = pqctl({"doctor", "--config", file_with_state()}, {"COLUMNS=40"});
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_EQ(ran.err, "");
  EXPECT_TRUE(
      has(ran.out, "\nwarn  daemon          there is no socket at /nonexistent/pqd.sock: start one with"))
      << ran.out;
  for (const char* line : {"ok    versions        pqctl " PQD_VERSION ", libpqd ABI 1; built with RocksDB 7.",
                           "\nok    configuration   ", "kernel ", "io_uring ", "\nok    memfd seals     ",
                           "\nok    pidfd ", "open files ", "memory ", "clock source ", "cpus ",
                           "\nok    state directory ", "file system ", "free disk "})
    EXPECT_TRUE(has(ran.out, line)) << line << "\n" << ran.out;
  EXPECT_FALSE(has(ran.out, "\033[")) << ran.out;
}

TEST_F(DoctorCommandTest, EndsWith1WhenSomethingFails) {
  const Ran ran = pqctl({"doctor", "--config", file_with_state("[store]\nreserved_bytes = \"1000TiB\"\n")});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_TRUE(has(ran.out, "\nfail  free disk ")) << ran.out;
}

TEST_F(DoctorCommandTest, GoesOnAfterABadConfiguration) {
  const Ran ran = pqctl({"doctor", "--config", file("[deamon]\n[steuer]\n")});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_TRUE(has(ran.out, "fail  configuration ")) << ran.out;
  EXPECT_TRUE(has(ran.out, "(and 1 more)")) << ran.out;
  EXPECT_TRUE(has(ran.out, "memfd seals")) << ran.out;
}

TEST_F(DoctorCommandTest, HasTheSameInJson) {
  const std::string path = file_with_state();
  const auto told = object(pqctl({"doctor", "--config", path, "-o", "json"}).out);
  EXPECT_EQ(told.at("status").as_string(), "warn");
  std::set<std::string> checks;
  for (const auto& check : told.at("checks").as_array()) {
    const auto& each = check.as_object();
    checks.insert(std::string(each.at("check").as_string()));
    EXPECT_FALSE(each.at("text").as_string().empty());
    EXPECT_EQ(each.contains("remedy"), each.at("status").as_string() != "ok");
  }
  EXPECT_EQ(checks, (std::set<std::string>{"versions", "configuration", "kernel", "io_uring", "memfd seals",
                                           "pidfd", "clock source", "cpus", "open files", "memory",
                                           "state directory", "file system", "free disk", "daemon"}));
  const Ran lines = pqctl({"doctor", "--config", path, "-o", "jsonl"});
  EXPECT_EQ(static_cast<size_t>(std::count(lines.out.begin(), lines.out.end(), '\n')), checks.size());
}

TEST_F(DoctorCommandTest, ExaminesADaemonThatRuns) {
  Program daemon({PQD_BIN_DIR "/pqd", "--dev", "--dir", directory_.path("dev")});
  ASSERT_TRUE(daemon.says("pqd is ready")) << daemon.err();
  const Ran ran = pqctl({"doctor", "--socket", directory_.path("dev/pqd.sock")});
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_TRUE(has(ran.out, "\nok    daemon          pid " + std::to_string(daemon.pid()) + " at "))
      << ran.out;
  EXPECT_TRUE(has(ran.out, "\nok    daemon program  " PQD_BIN_DIR "/pqd\n")) << ran.out;
  EXPECT_TRUE(has(ran.out, "\nok    health          healthy\n")) << ran.out;
  EXPECT_TRUE(has(ran.out, " for the daemon, ")) << ran.out;
  EXPECT_TRUE(has(ran.out, "\nok    state directory " + directory_.path("dev/state") + ", of user "))
      << ran.out;
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

TEST_F(DoctorCommandTest, FailsWhenADaemonDoesNotAnswer) {
  Program daemon({PQD_BIN_DIR "/pqd", "--dev", "--dir", directory_.path("dev")});
  ASSERT_TRUE(daemon.says("pqd is ready")) << daemon.err();
  daemon.signal(SIGSTOP);
  const Ran ran = pqctl({"doctor", "--socket", directory_.path("dev/pqd.sock"), "--timeout", "200ms"});
  EXPECT_EQ(ran.exit, 1) << ran.out;
  EXPECT_TRUE(has(ran.out, "\nfail  daemon          UNAVAILABLE: ")) << ran.out;
  EXPECT_TRUE(has(ran.out, "see the daemon's log")) << ran.out;
  daemon.signal(SIGCONT);
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

TEST_F(DoctorCommandTest, IsColouredAndFoldedOnATerminalOnly) {
  const auto on_a_terminal = [&](const std::string& variables) {
    const std::string command = "stty cols 60; env TERM=xterm PQD_SOCKET=/nonexistent " + variables +
                                " " PQD_BIN_DIR "/pqctl doctor --config " + file_with_state();
    return run({"script", "-qec", command, "/dev/null"}).out;
  };
  const std::string coloured = on_a_terminal("");
  EXPECT_TRUE(has(coloured, "\033[32mok\033[0m ")) << coloured;
  EXPECT_TRUE(has(coloured, "\033[33mwarn\033[0m ")) << coloured;
  EXPECT_FALSE(has(on_a_terminal("NO_COLOR=1"), "\033["));
  EXPECT_TRUE(has(coloured, "\r\n" + std::string(22, ' '))) << coloured;
}

}  // namespace
}  // namespace pqd::test
