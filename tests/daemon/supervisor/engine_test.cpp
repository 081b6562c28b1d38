// The engine's life under a real supervisor: it dies in all ways, sessions do not notice.
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <set>
#include <vector>

#include "daemon/supervisor/restart_backoff.h"
#include "tests/daemon/supervisor/fixtures.h"

namespace pqd::supervisor_test {
namespace {

TEST(Engine, IsFollowedByOneThatWritesToSealedDownsOfOldClients) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto client = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(client);
  const pid_t first = supervisor.engine_pid();
  ASSERT_EQ(client->epoch(), static_cast<uint64_t>(first));
  ::kill(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return client->epoch() != static_cast<uint64_t>(first); }))
      << supervisor.log();
  EXPECT_EQ(client->epoch(), static_cast<uint64_t>(supervisor.engine_pid()));
  client->order(1);
  Waiter waiter(client->up().header(), client->fds().engine_doorbell.get());
  EXPECT_TRUE(waiter.wait(static_cast<int>(kPatience.count())));
  EXPECT_TRUE(TestClient::open(directory.path("pqd.sock")));
}

class EngineOver : public testing::TestWithParam<BackendChoice> {};

// Each restart forks with a loop in use, of either kind.
TEST_P(EngineOver, IsRestartedTwentyTimesInARowUnderOneClient) {
  TempDir directory;
  auto options = options_in(directory);
  options.event_loop = GetParam();
  if (!EventLoop::create(GetParam())) GTEST_SKIP() << "no io_uring here";
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto client = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(client);
  std::set<uint64_t> epochs{client->epoch()};
  for (int i = 0; i < 20; ++i) {
    client->order(i % 2 == 0 ? 2 : 4);
    ASSERT_TRUE(eventually([&] { return !epochs.contains(client->epoch()); })) << supervisor.log();
    epochs.insert(client->epoch());
  }
  EXPECT_EQ(epochs.size(), 21u);
}

INSTANTIATE_TEST_SUITE_P(Backends, EngineOver, testing::Values(BackendChoice::kUring, BackendChoice::kEpoll),
                         [](const auto& backend) {
                           return backend.param == BackendChoice::kUring ? "Uring" : "Epoll";
                         });

TEST(Engine, IsTriedAgainUntilItStarts) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory, "fail_starts=20 counter=" + (directory.path("count"))));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  EXPECT_EQ(read_text(directory.path("count")), "20");
  EXPECT_TRUE(TestClient::open(directory.path("pqd.sock")));
}

TEST(Engine, IsShownToClientsAsAwayUntilTheNextOneServes) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory, "hide_until=" + (directory.path("gate"))));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto client = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(client);
  ASSERT_EQ(client->down().header().engine_state.load(), static_cast<uint32_t>(EngineState::kServing));
  client->order(2);
  EXPECT_TRUE(eventually([&] {
    return client->down().header().engine_state.load() == static_cast<uint32_t>(EngineState::kStarting);
  }));
  write_text(directory.path("gate"), "open");
  EXPECT_TRUE(eventually([&] {
    return client->down().header().engine_state.load() == static_cast<uint32_t>(EngineState::kServing);
  }));
}

TEST(Engine, LosesNoHandshakeHoweverOftenItDies) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  std::vector<std::unique_ptr<ChildProcess>> crowd;
  for (int i = 0; i < 4; ++i)
    crowd.push_back(std::make_unique<ChildProcess>([&] {
      std::vector<TestClient> held;
      for (int round = 0; round < 25; ++round) {
        auto client = TestClient::open(directory.path("pqd.sock"));
        if (!client) return 1;
        if (client->welcome().session != client->down().header().session) return 2;
        if (round % 5 == 0) held.push_back(std::move(*client));
      }
      if (!eventually([&] { return ::access((directory.path("calm")).c_str(), F_OK) == 0; })) return 4;
      for (const TestClient& client : held) {
        // The engine of this moment knows it, whoever made it.
        client.order(1);
        const bool served = eventually([&] {
          uint64_t rings = 0;
          return ::read(client.fds().engine_doorbell.get(), &rings, sizeof rings) == sizeof rings;
        });
        if (!served) return 3;
      }
      return 0;
    }));
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(eventually([&] { return supervisor.engine_pid() != 0; }));
    const pid_t engine = supervisor.engine_pid();
    if (engine != 0) ::kill(engine, SIGKILL);
    ASSERT_TRUE(eventually([&] { return supervisor.engine_pid() != engine; }));
  }
  write_text(directory.path("calm"), "now");
  for (const auto& child : crowd) EXPECT_EQ(child->wait(), 0) << supervisor.log();
}

TEST(Engine, OpensASessionThatItsPredecessorDiedOpening) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory, "die_opening=3 counter=" + (directory.path("count"))));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto client = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(client) << supervisor.log();
  EXPECT_EQ(client->epoch(), static_cast<uint64_t>(supervisor.engine_pid()));
}

TEST(Engine, ThatGivesUpEndsTheDaemonWithItsReason) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory, "halt=1"));
  EXPECT_EQ(supervisor.wait(), 78);
  EXPECT_NE(supervisor.log().find("the store is somebody else's"), std::string::npos) << supervisor.log();
  EXPECT_FALSE(std::filesystem::exists(directory.path("pqd.sock")));
}

TEST(Engine, ThatCannotBeLoadedEndsTheDaemon) {
  TempDir directory;
  auto options = options_in(directory);
  options.engine_library = directory.path("libpqd-engine.so");
  RunningSupervisor supervisor(options);
  EXPECT_EQ(supervisor.wait(), 78);
  EXPECT_NE(supervisor.log().find("cannot load the engine"), std::string::npos) << supervisor.log();
}

TEST(Engine, HoldsNoDescriptorThatIsNotItsOwn) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto client = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(client);
  const pid_t first = supervisor.engine_pid();
  ::kill(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return client->epoch() != static_cast<uint64_t>(first); }));
  const std::string proc = "/proc/" + std::to_string(supervisor.engine_pid());
  size_t sockets = 0;
  size_t others = 0;
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
    const std::string target = std::filesystem::read_symlink(entry.path()).string();
    const bool is_socket = target.starts_with("socket:");
    if (is_socket) ++sockets;
    if (!is_socket && std::stoi(entry.path().filename()) > STDERR_FILENO) ++others;
  }
  EXPECT_EQ(sockets, 2u);  // the link, the doorbell that the engine rings
  EXPECT_EQ(others, 4u);   // up, down, the other doorbell, the lock that says that an engine lives
  EXPECT_EQ(read_text(proc + "/comm"), "pqd-engine\n");
}

TEST(Engine, DiesWithItsSupervisor) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  const pid_t engine = supervisor.engine_pid();
  supervisor.signal(SIGKILL);
  EXPECT_EQ(supervisor.wait(), 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] {
    const std::string status = read_text("/proc/" + std::to_string(engine) + "/status");
    return status.empty() || status.find("State:\tZ") != std::string::npos;
  }));
}

TEST(RestartBackoff, DoublesFromNothingToItsMost) {
  RestartBackoff backoff({.first_ns = 100, .max_ns = 500, .good_service_ns = 10'000});
  EXPECT_EQ(backoff.next_delay_ns(0), 0);
  EXPECT_EQ(backoff.next_delay_ns(0), 100);
  EXPECT_EQ(backoff.next_delay_ns(9'999), 200);
  EXPECT_EQ(backoff.next_delay_ns(0), 400);
  EXPECT_EQ(backoff.next_delay_ns(0), 500);
  EXPECT_EQ(backoff.next_delay_ns(0), 500);
}

TEST(RestartBackoff, StartsAfreshAfterGoodService) {
  RestartBackoff backoff({.first_ns = 100, .max_ns = 500, .good_service_ns = 10'000});
  for (int i = 0; i < 4; ++i) backoff.next_delay_ns(0);
  EXPECT_EQ(backoff.next_delay_ns(10'000), 0);
  EXPECT_EQ(backoff.next_delay_ns(0), 100);
}

}  // namespace
}  // namespace pqd::supervisor_test
