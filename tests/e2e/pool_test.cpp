// `pqctl work --pool` against a real daemon: commands that stay, how they are told of jobs and tell of them,
// what happens when they end, talk nonsense, or have nothing to do.
#include <csignal>
#include <set>
#include <sstream>

#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

// Answers by the payloads, "exit" and "loop" by not answering; "who" with its pid.
constexpr const char* kTeller = R"SH(
while read -r line; do
  id=$(echo "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
  case "$line" in
    *'"payload":"who"'*) echo "{\"id\":\"$id\",\"outcome\":\"complete\",\"result\":\"$$\"}" ;;
    *'"payload":"bad"'*) echo "{\"id\":\"$id\",\"outcome\":\"fail\",\"error\":\"no such address\",\"retry\":false}" ;;
    *'"payload":"noise"'*) echo "done, boss" ;;
    *'"payload":"last"'*) echo "{\"id\":\"$id\",\"outcome\":\"complete\"}"
      while ! test -e "$1"; do sleep 0.02; done; exit 0 ;;
    *'"payload":"exit 0"'*) exit 0 ;;
    *'"payload":"exit 65"'*) echo gone >&2; exit 65 ;;
    *'"payload":"loop"'*) echo begun >&2; sleep 1000 ;;
  esac
done
echo end of input >&2
)SH";

class PoolTest : public WithPqctl {
 protected:
  PoolTest()
      : WithPqctl(
            "[daemon]\nengine_backoff_max = \"10ms\"\n[limits]\nrate_limit = 0\n"
            "[queues.defaults]\nbackoff = \"1ms\"\nmax_active = 0\n") {}

  std::unique_ptr<Program> work(std::vector<std::string> options = {}, const std::string& script = kTeller) {
    write_file(files_.path("script"), script);
    std::vector<std::string> words{"work", "t", "--pool"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "sh", files_.path("script"), files_.path("go")});
    return std::make_unique<Program>(pqctl_words(words), std::vector{daemon_.socket_variable()});
  }
  std::string submit(const std::string& payload, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"submit", "t", payload};
    words.insert(words.end(), more.begin(), more.end());
    const std::string printed = output(words);
    return printed.substr(0, printed.find('\n'));
  }
  bool is(const std::string& id, const std::string& what) { return has(job(id), what); }
  bool becomes(const std::string& id, const std::string& status) {
    return eventually([&] { return is(id, "\"status\":\"" + status + "\""); });
  }
  std::string result(const std::string& id) {
    const std::string line = job(id);
    const size_t at = line.find("\"result\":\"") + 10;
    return line.substr(at, line.find('"', at) - at);
  }
  static int stop(Program& program) {
    program.signal(SIGTERM);
    return program.wait();
  }

  TempDir files_;
};

TEST_F(PoolTest, OneCommandTakesJobAfterJob) {
  const auto worker = work();
  std::set<std::string> pids;
  for (int i = 0; i < 5; ++i) {
    const std::string id = submit("who");
    ASSERT_TRUE(becomes(id, "completed")) << job(id);
    pids.insert(result(id));
  }
  EXPECT_EQ(pids.size(), 1u);
  EXPECT_EQ(stop(*worker), 0) << worker->err();
  EXPECT_TRUE(has(worker->err(), "end of input")) << worker->err();
}

TEST_F(PoolTest, SettlesAsTheCommandSaysAndGoesOn) {
  const auto worker = work();
  const std::string bad = submit("bad");
  EXPECT_TRUE(becomes(bad, "failed"));
  EXPECT_TRUE(is(bad, "no such address") && is(bad, "\"attempts\":1,")) << job(bad);
  EXPECT_TRUE(becomes(submit("who"), "completed"));
  EXPECT_EQ(stop(*worker), 0);
  EXPECT_TRUE(has(worker->err(), bad + " attempt 1 of 3 failed, no such address")) << worker->err();
}

TEST_F(PoolTest, EndsACommandThatHadNothingToDoForItsIdleTimeoutAndStartsAnotherForTheNextJob) {
  const auto worker = work({"--idle-timeout", "50ms"});
  const std::string first = submit("who");
  ASSERT_TRUE(becomes(first, "completed"));
  ASSERT_TRUE(worker->says("end of input")) << "its input was closed";
  const std::string second = submit("who");
  ASSERT_TRUE(becomes(second, "completed"));
  EXPECT_NE(result(first), result(second));
  EXPECT_EQ(stop(*worker), 0) << worker->err();
}

TEST_F(PoolTest, RunsAsManyAsThereIsWorkForUpToTheConcurrency) {
  // Each answers when there are two.
  const auto worker =
      work({"--concurrency", "2"}, "while read -r line; do touch " + files_.path("here.$$") +
                                       "; while test $(ls " + files_.path() +
                                       " | grep -c here) -lt 2; do sleep 0.02; done\n"
                                       "echo \"$line\" | sed 's/.*\\(\"id\":\"[^\"]*\"\\).*/{\\1,\"outcome\":"
                                       "\"complete\"}/'; done");
  const std::string one = submit("x");
  const std::string two = submit("x");
  EXPECT_TRUE(becomes(one, "completed"));
  EXPECT_TRUE(becomes(two, "completed"));
  EXPECT_EQ(stop(*worker), 0) << worker->err();
}

TEST_F(PoolTest, ExitWithoutALineNeverCompletesAJobNorFailsItForGood) {
  const auto worker = work();
  const std::string zero = submit("exit 0", {"--attempts", "1"});
  EXPECT_TRUE(becomes(zero, "failed"));
  EXPECT_TRUE(is(zero, "has ended without a line about the job")) << job(zero);
  const std::string data = submit("exit 65", {"--attempts", "2"});
  EXPECT_TRUE(becomes(data, "failed"));
  EXPECT_TRUE(is(data, "exit 65: gone") && is(data, "\"attempts\":2,")) << job(data);
  EXPECT_EQ(stop(*worker), 0);
}

TEST_F(PoolTest, CommandMayEndAfterAJobAndTheNextOneLosesNoAttempt) {
  const auto worker = work();
  ASSERT_TRUE(becomes(submit("last"), "completed"));
  const std::string id = submit("who", {"--attempts", "1"});
  ASSERT_TRUE(becomes(id, "processing")) << "it was given to the one that reads no more";
  write_file(files_.path("go"), "");
  EXPECT_TRUE(becomes(id, "completed"));
  EXPECT_TRUE(is(id, "\"attempts\":1,")) << job(id);
  EXPECT_EQ(stop(*worker), 0) << worker->err();
}

TEST_F(PoolTest, LineThatIsNotUnderstoodFailsTheJobAndEndsTheCommand) {
  const auto worker = work();
  const std::string id = submit("noise", {"--attempts", "1"});
  EXPECT_TRUE(becomes(id, "failed"));
  EXPECT_TRUE(is(id, "line 1 of the command's output: ") && is(id, "done, boss")) << job(id);
  EXPECT_TRUE(becomes(submit("who"), "completed"));
  EXPECT_EQ(stop(*worker), 0);
}

TEST_F(PoolTest, CancelledJobEndsItsCommandAndTheNextHasAnother) {
  const auto worker = work();
  const std::string first = submit("who");
  ASSERT_TRUE(becomes(first, "completed"));
  const std::string id = submit("loop");
  ASSERT_TRUE(worker->says("begun"));
  output({"cancel", id, "--running"});
  EXPECT_TRUE(becomes(id, "cancelled"));
  const std::string next = submit("who");
  ASSERT_TRUE(becomes(next, "completed"));
  EXPECT_NE(result(first), result(next));
  EXPECT_EQ(stop(*worker), 0);
}

TEST_F(PoolTest, SecondInterruptKillsAndGivesBack) {
  const auto worker = work();
  const std::string id = submit("loop");
  ASSERT_TRUE(worker->says("begun"));
  worker->signal(SIGINT);
  ASSERT_TRUE(worker->says("stopping when 1 running jobs have ended"));
  worker->signal(SIGINT);
  EXPECT_EQ(worker->wait(), 1);
  EXPECT_TRUE(becomes(id, "pending"));
  EXPECT_TRUE(is(id, "\"attempts\":0,")) << job(id);
}

TEST_F(PoolTest, GoesOnOverTheDeathOfTheEngine) {
  const auto worker = work();
  const std::string first = submit("who");
  ASSERT_TRUE(becomes(first, "completed"));
  daemon_.kill_engine();
  const std::string second = submit("who");
  ASSERT_TRUE(becomes(second, "completed"));
  EXPECT_EQ(result(first), result(second));
  EXPECT_EQ(stop(*worker), 0) << worker->err();
}

TEST_F(PoolTest, RefusesWhatDoesNotGoTogether) {
  refused({"work", "t", "--pool", "--batch", "--", "cat"}, 64, {"--batch excludes --pool"});
  refused({"work", "t", "--idle-timeout", "3s", "--", "cat"}, 64, {"--idle-timeout", "--pool"});
  refused({"work", "t", "--pool", "--idle-timeout", "soon", "--", "cat"}, 64,
          {"--idle-timeout", "\"soon\"", "500ms or 1.5h"});
}

}  // namespace
}  // namespace pqd::test
