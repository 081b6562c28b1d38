// A file system that cannot be written: from the start, and from the middle of the work on.
#include <csignal>

#include "bindings/cpp/client.h"
#include "tests/e2e/failing_disk.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"
#include "tests/support/load/load_history.h"

namespace pqd::test {
namespace {

class ReadOnlyDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "no file system can be mounted here: " << disk_.why();
  }
  static void expect_refused(const std::string& directory) {
    const Ran ran = run({PQD_BIN_DIR "/pqd", "--dev", "--dir", directory});
    EXPECT_EQ(ran.exit, 73) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(has(ran.err, "pqd: cannot ") && has(ran.err, directory) &&
                has(ran.err, "(Read-only file system): its file system is read-only: make it writable"))
        << ran.err;
  }
  // A daemon's life, with a command.
  Ran with_daemon(const std::vector<std::string>& words) {
    Program daemon({PQD_BIN_DIR "/pqd", "--dev", "--dir", directory_});
    EXPECT_TRUE(daemon.says("pqd is ready")) << daemon.err();
    const Ran ran = run(pqctl_words(words), {"PQD_SOCKET=" + directory_ + "/pqd.sock"});
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0) << daemon.err();
    return ran;
  }

  FailingDisk disk_;
  const std::string directory_ = disk_.path() + "/pqd";
};

TEST_F(ReadOnlyDisk, EndsAStartWith73AndNamesTheFile) {
  ASSERT_TRUE(disk_.mount_read_only());
  expect_refused(directory_);  // where nothing is
  ASSERT_TRUE(disk_.mend());
  EXPECT_EQ(with_daemon({"submit", "t"}).exit, 0);
  ASSERT_TRUE(disk_.mount_read_only());
  expect_refused(directory_);  // where a store is
  ASSERT_TRUE(disk_.mend());
  EXPECT_EQ(line_count(with_daemon({"ls", "-o", "jsonl"}).out), 1u);
}

TEST_F(ReadOnlyDisk, UnderLoadEndsTheDaemonWithTheNextEngineAndNothingIsLostOnceItCanBeWritten) {
  const auto daemon = daemon_on(disk_.path(), kLoadConfig);
  ASSERT_TRUE(daemon->start());
  Load load(daemon->socket(), {});
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(load.handles(50));
    ASSERT_TRUE(FailingDisk::forbid_writing(daemon->directory()));
    daemon->kill_engine();
    EXPECT_EQ(daemon->exit(), 78) << daemon->log();
    EXPECT_TRUE(has(daemon->log(), "the engine gave up: cannot open ") &&
                has(daemon->log(), "Read-only file system"))
        << daemon->log();
    expect_refused(daemon->directory());
    ASSERT_TRUE(FailingDisk::allow_writing(daemon->directory()));
    ASSERT_TRUE(daemon->start());
  }
  ASSERT_TRUE(load.handles(50)) << daemon->log();
  ASSERT_EQ(load.finish(), "");
  EXPECT_EQ(judge(load).broken, std::vector<std::string>());
}

TEST_F(ReadOnlyDisk, ThatFailsUnderLoadEndsTheDaemonAndNothingIsLostOnceItIsMended) {
  const auto daemon = daemon_on(disk_.path(), kLoadConfig);
  ASSERT_TRUE(daemon->start());
  Load load(daemon->socket(), {});
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(load.handles(50));
    ASSERT_TRUE(disk_.fail());
    // Whoever meets it first stops at once; the next engine cannot begin.
    EXPECT_EQ(daemon->exit(), 78) << daemon->log();
    const std::string log = daemon->log();
    EXPECT_TRUE(has(log, "the engine ends and the next one recovers")) << log;
    EXPECT_TRUE(has(log, "the engine gave up: ") && has(log, "Input/output error")) << log;
    ASSERT_TRUE(disk_.mend());
    ASSERT_TRUE(daemon->start());
  }
  ASSERT_TRUE(load.handles(50)) << daemon->log();
  ASSERT_EQ(load.finish(), "");
  EXPECT_EQ(judge(load).broken, std::vector<std::string>());
}

TEST_F(ReadOnlyDisk, IsAnUnknownOutcomeForASubmitUnderWayAndItsTicketStaysGood) {
  const auto daemon = daemon_on(disk_.path(), kLoadConfig);
  ASSERT_TRUE(daemon->start());
  auto client = Client::connect({.socket = daemon->socket(), .reconnect_timeout_ms = 50});
  ASSERT_TRUE(client);
  ASSERT_TRUE(disk_.fail());
  const auto ticket = client->submit({.type = "t"});
  ASSERT_TRUE(ticket) << ticket.error().text;
  const auto outcome = client->wait(*ticket, kWatchdog);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error, Error::kUnknownOutcome) << outcome.error().text;
  EXPECT_EQ(daemon->exit(), 78);
  ASSERT_TRUE(disk_.mend());
  ASSERT_TRUE(daemon->start());
  EXPECT_TRUE(eventually([&] { return client->wait(*ticket, kWatchdog).has_value(); }));
  EXPECT_EQ(jobs_of(daemon->socket(), "default", 0).size(), 1u);
}

// No number can be reserved for its session.
TEST_F(ReadOnlyDisk, RefusesTheFirstClientByName) {
  const auto daemon = daemon_on(disk_.path(), kLoadConfig);
  ASSERT_TRUE(daemon->start());
  ASSERT_TRUE(FailingDisk::forbid_writing(daemon->directory()));
  const Ran ran = run(pqctl_words({"submit", "t"}), {daemon->socket_variable()});
  EXPECT_EQ(ran.exit, 69) << ran.err;
  EXPECT_TRUE(has(ran.err, "UNAVAILABLE: ") && has(ran.err, "cannot reserve session numbers") &&
              has(ran.err, "Read-only file system"))
      << ran.err;
  ASSERT_TRUE(FailingDisk::allow_writing(daemon->directory()));
  EXPECT_EQ(run(pqctl_words({"submit", "t"}), {daemon->socket_variable()}).exit, 0);
}

}  // namespace
}  // namespace pqd::test
