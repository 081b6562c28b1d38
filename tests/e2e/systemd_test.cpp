// The service as systemd runs it, by the unit that is installed: the real systemd, in a machine of its own.
#include "bindings/cpp/client.h"
#include "tests/e2e/limited_process.h"
#include "tests/e2e/systemd_machine.h"
#include "tests/support/load/load_history.h"

namespace pqd::test {
namespace {

constexpr const char* kSocket = "/run/pqd/pqd.sock";

class SystemdTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "the unit's sandbox is not made for sanitizers";
    if (const std::string why = SystemdMachine::why_not(); !why.empty()) GTEST_SKIP() << why;
    machine_.emplace();
    ASSERT_EQ(machine_->run_inside({"systemd-sysusers"}).exit, 0);
    // The load wants its queue to have room, and that its consumers come late.
    configure(kLoadConfig);
  }
  void TearDown() override {
    if (machine_ && HasFailure()) std::printf("%s\n", machine_->journal().c_str());
  }

  void configure(const std::string& toml) const {
    std::filesystem::create_directories(machine_->path("/etc/pqd"));
    std::ofstream(machine_->path("/etc/pqd/pqd.toml")) << toml;
  }
  ::testing::AssertionResult systemctl(std::vector<std::string> words) const {
    words.insert(words.begin(), "systemctl");
    const Ran ran = machine_->run_inside(words);
    if (ran.exit == 0) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << words[1] << ": " << ran.err;
  }
  std::string socket() const { return machine_->path(kSocket); }
  bool becomes(const std::string& property, const std::string& value) const {
    return eventually([&] { return machine_->property(property) == value; });
  }

  std::optional<SystemdMachine> machine_;
};

TEST_F(SystemdTest, RestartsAndKillsOfTheServiceLeaveClientsTheirSessions) {
  ASSERT_TRUE(systemctl({"start", "pqd"}));
  EXPECT_EQ(machine_->property("StatusText"), "serving");
  auto client = Client::connect({.socket = socket()});
  ASSERT_TRUE(client) << client.error().text;
  Load load(socket(), {});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(load.handles(200));
    ASSERT_TRUE(systemctl({"restart", "pqd"}));
    load.engine_died();
    ASSERT_TRUE(load.handles(200));
    const std::string before = machine_->property("MainPID");
    ASSERT_TRUE(systemctl({"kill", "--kill-whom=main", "-s", "KILL", "pqd"}));
    ASSERT_TRUE(eventually([&] {
      const std::string now = machine_->property("MainPID");
      return now != before && now != "0" && machine_->property("SubState") == "running";
    }));
    load.engine_died();
  }
  ASSERT_TRUE(load.handles(200));
  ASSERT_EQ(load.finish(), "");
  const LoadJudgement judged = judge(load);
  EXPECT_EQ(judged.broken, std::vector<std::string>());
  EXPECT_EQ(judged.figures.refused, 0u);
  EXPECT_EQ(judged.figures.sent_again, 0u);
  EXPECT_TRUE(client->wait(*client->submit({.type = "t", .queue = "other"}), kWatchdog));
  EXPECT_EQ(client->counters().reconnects, 0u);
  std::printf("%lu jobs acknowledged, %lu completed\n", judged.figures.acknowledged,
              judged.figures.completed);
}

TEST_F(SystemdTest, StopEndsItInOrderAndKeepsNothingButTheStore) {
  ASSERT_TRUE(systemctl({"start", "pqd"}));
  auto client = Client::connect({.socket = socket(), .reconnect_timeout_ms = 0});
  ASSERT_TRUE(client) << client.error().text;
  ASSERT_TRUE(client->wait(*client->submit({.type = "t", .queue = "q"}), kWatchdog));
  EXPECT_NE(machine_->property("NFileDescriptorStore"), "0");
  ASSERT_TRUE(systemctl({"stop", "pqd"}));
  EXPECT_EQ(machine_->property("Result"), "success");
  EXPECT_EQ(machine_->property("NFileDescriptorStore"), "0");
  EXPECT_FALSE(std::filesystem::exists(machine_->path("/run/pqd")));
  const auto refused = client->submit({.type = "t", .queue = "q"});
  const Failure told = refused ? client->wait(*refused, kWatchdog).error() : refused.error();
  EXPECT_EQ(told.error, Error::kUnavailable) << told.text;
  ASSERT_TRUE(systemctl({"start", "pqd"}));
  EXPECT_EQ(jobs_of(socket(), "q", 0).size(), 1u);
}

TEST_F(SystemdTest, BadConfigurationFailsAtOnceWithItsPlaceAndIsNotTriedAgain) {
  configure("[limits]\nsessions_max = 0\n");
  EXPECT_FALSE(systemctl({"start", "pqd"}));
  EXPECT_EQ(machine_->property("ActiveState"), "failed");
  EXPECT_EQ(machine_->property("ExecMainStatus"), "78");
  EXPECT_EQ(machine_->property("NRestarts"), "0");
  EXPECT_NE(machine_->journal().find("/etc/pqd/pqd.toml:2:"), std::string::npos);
}

TEST_F(SystemdTest, SupervisorThatHangsIsReplacedAndSessionsGoOn) {
  const std::string drop_in = machine_->path("/run/systemd/system/pqd.service.d");
  std::filesystem::create_directories(drop_in);
  std::ofstream(drop_in + "/soon.conf") << "[Service]\nWatchdogSec=1\nTimeoutAbortSec=1\nTimeoutStopSec=1\n";
  ASSERT_TRUE(systemctl({"daemon-reload"}));
  ASSERT_TRUE(systemctl({"start", "pqd"}));
  auto client = Client::connect({.socket = socket()});
  ASSERT_TRUE(client) << client.error().text;
  ASSERT_TRUE(systemctl({"kill", "--kill-whom=main", "-s", "STOP", "pqd"}));
  ASSERT_TRUE(becomes("NRestarts", "1"));
  EXPECT_TRUE(client->wait(*client->submit({.type = "t", .queue = "q"}), kWatchdog));
  EXPECT_EQ(client->counters().reconnects, 0u);
}

// Who restarts the engine is the supervisor, also when the kernel has ended it for want of memory.
TEST_F(SystemdTest, EngineThatIsKilledDoesNotEndTheService) {
  ASSERT_TRUE(systemctl({"start", "pqd"}));
  auto client = Client::connect({.socket = socket()});
  ASSERT_TRUE(client) << client.error().text;
  const std::string main = machine_->property("MainPID");
  ASSERT_EQ(machine_->run_inside({"pkill", "-KILL", "-P", main}).exit, 0);
  EXPECT_TRUE(client->wait(*client->submit({.type = "t", .queue = "q"}), kWatchdog));
  EXPECT_EQ(machine_->property("MainPID"), main);
  EXPECT_EQ(machine_->property("OOMPolicy"), "continue");
}

// The tests run beside each other, and beside a systemd of the machine that they run on.
TEST_F(SystemdTest, MachinesShareNoGroupsAndLeaveNone) {
  ASSERT_TRUE(systemctl({"start", "pqd"}));
  EXPECT_EQ(machine_->shared_cgroups(), "");
  {
    const SystemdMachine other;
    ASSERT_EQ(other.run_inside({"systemd-sysusers"}).exit, 0);
    const Ran started = other.run_inside({"systemctl", "start", "pqd"});
    ASSERT_EQ(started.exit, 0) << started.err << other.journal();
  }
  ASSERT_TRUE(systemctl({"restart", "pqd"}));
  const std::vector<std::string> groups = machine_->cgroups();
  machine_.reset();
  for (const std::string& group : groups) EXPECT_FALSE(std::filesystem::exists(group)) << group;
}

}  // namespace
}  // namespace pqd::test
