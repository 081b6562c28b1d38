// Starting, being in each other's way, stopping.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "daemon/log/log_limit.h"
#include "tests/daemon/supervisor/fixtures.h"

namespace pqd::supervisor_test {
namespace {

TEST(Start, IsRefusedWhereAnotherOneIsWithItsPid) {
  TempDir directory;
  RunningSupervisor first(options_in(directory));
  ASSERT_TRUE(first.wait_ready()) << first.log();
  RunningSupervisor second(options_in(directory));
  EXPECT_EQ(second.wait(), 69);
  EXPECT_NE(second.log().find("(pid " + std::to_string(first.pid()) + ")"), std::string::npos)
      << second.log();
  EXPECT_TRUE(TestClient::open(directory.path("pqd.sock"))) << "the first one's socket was touched";
}

TEST(Start, IsRefusedWhenOnlyTheSocketIsAnothersToo) {
  TempDir directory;
  RunningSupervisor first(options_in(directory));
  ASSERT_TRUE(first.wait_ready()) << first.log();
  auto options = options_in(directory);
  options.state_dir = directory.path("other");
  RunningSupervisor second(options);
  EXPECT_EQ(second.wait(), 69);
  EXPECT_TRUE(TestClient::open(directory.path("pqd.sock")));
}

TEST(Start, ClearsAwayTheSocketOfADeadOne) {
  TempDir directory;
  {
    RunningSupervisor first(options_in(directory));
    ASSERT_TRUE(first.wait_ready()) << first.log();
    first.signal(SIGKILL);
    EXPECT_EQ(first.wait(), 128 + SIGKILL);
  }
  ASSERT_TRUE(std::filesystem::exists(directory.path("pqd.sock")));
  RunningSupervisor second(options_in(directory));
  ASSERT_TRUE(second.wait_ready()) << second.log();
  EXPECT_TRUE(TestClient::open(directory.path("pqd.sock")));
}

TEST(Start, DoesNotClearAwayAFileThatIsNoSocket) {
  TempDir directory;
  write_text(directory.path("pqd.sock"), "precious");
  RunningSupervisor supervisor(options_in(directory));
  EXPECT_EQ(supervisor.wait(), 73);
  EXPECT_EQ(read_text(directory.path("pqd.sock")), "precious");
}

// It still writes to its clients' memory, and to the store.
TEST(Start, WaitsForTheEngineOfADeadSupervisor) {
  TempDir directory;
  std::filesystem::create_directory(directory.path("state"));
  const std::string path = directory.path("state/engine.lock");
  const ChildProcess engine([&] {
    const UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (::flock(lock.get(), LOCK_EX) != 0) return 1;
    write_text(directory.path("holds"), "it");
    for (;;) ::pause();
  });
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(directory.path("holds")); }));
  RunningSupervisor supervisor(options_in(directory));
  const std::string fds = "/proc/" + std::to_string(supervisor.pid()) + "/fd";
  ASSERT_TRUE(eventually([&] {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(fds, error))
      if (std::filesystem::read_symlink(entry.path(), error).string().ends_with("engine.lock")) return true;
    return false;
  }));
  EXPECT_EQ(supervisor.engine_pid(), 0);
  engine.signal(SIGKILL);
  EXPECT_TRUE(supervisor.wait_ready()) << supervisor.log();
}

TEST(Start, SaysThatASocketsPathIsTooLong) {
  TempDir directory;
  auto options = options_in(directory);
  options.socket_path = directory.path(std::string(100, 'x') + ".sock");
  RunningSupervisor supervisor(options);
  EXPECT_EQ(supervisor.wait(), 78);
  EXPECT_NE(supervisor.log().find("allows 107"), std::string::npos) << supervisor.log();
}

TEST(Start, SaysThatADirectoryCannotBeWritten) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  TempDir directory;
  TempDir foreign;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0777), 0);
  ASSERT_EQ(::chmod(foreign.path().c_str(), 0755), 0);
  ChildProcess somebody([&] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 2;
    auto options = options_in(directory);
    options.state_dir = foreign.path("state");
    RunningSupervisor supervisor(options);
    const int status = supervisor.wait();
    return supervisor.log().find("Permission denied") != std::string::npos ? status : 3;
  });
  EXPECT_EQ(somebody.wait(), 73);
}

TEST(Start, SaysThatTheDiskIsFull) {
  TempDir directory;
  std::filesystem::create_directory(directory.path("state"));
  if (::mount("tmpfs", (directory.path("state")).c_str(), "tmpfs", 0, "size=4k") != 0)
    GTEST_SKIP() << "cannot mount a small file system: " << std::strerror(errno);
  write_text((directory.path("state")) + "/filler", std::string(4096, 'x'));
  RunningSupervisor supervisor(options_in(directory));
  EXPECT_EQ(supervisor.wait(), 75);
  ::umount((directory.path("state")).c_str());
  EXPECT_NE(supervisor.log().find("NO_SPACE: "), std::string::npos) << supervisor.log();
  EXPECT_NE(supervisor.log().find("make room"), std::string::npos) << supervisor.log();
}

TEST(Stop, EndsCleanlyAndRemovesTheSocket) {
  for (const int signal : {SIGTERM, SIGINT}) {
    TempDir directory;
    RunningSupervisor supervisor(options_in(directory));
    ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
    auto client = TestClient::open(directory.path("pqd.sock"));
    ASSERT_TRUE(client);
    const pid_t engine = supervisor.engine_pid();
    supervisor.signal(signal);
    EXPECT_EQ(supervisor.wait(), 0) << supervisor.log();
    EXPECT_FALSE(std::filesystem::exists(directory.path("pqd.sock")));
    EXPECT_TRUE(client->closed_by_daemon());
    EXPECT_NE(::kill(engine, 0), 0);
    EXPECT_NE(supervisor.log().find("ended with status 0"), std::string::npos) << supervisor.log();
  }
}

TEST(Stop, WorksWhileTheEngineIsStillStartingOrAway) {
  TempDir directory;
  auto options = options_in(directory, "fail_starts=1000 counter=" + (directory.path("count")));
  options.engine_backoff = {.first_ns = 3'600'000'000'000, .max_ns = 3'600'000'000'000, .good_service_ns = 1};
  RunningSupervisor away(options);
  ASSERT_TRUE(eventually([&] { return away.log().find("started again in") != std::string::npos; }));
  away.signal(SIGTERM);
  EXPECT_EQ(away.wait(), 0);
}

TEST(Stop, KillsAnEngineThatDoesNotObey) {
  TempDir directory;
  auto options = options_in(directory, "deaf=1");
  options.stop_timeout_ns = 20'000'000;
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  supervisor.signal(SIGTERM);
  EXPECT_EQ(supervisor.wait(), 0);
  EXPECT_NE(supervisor.log().find("and is killed"), std::string::npos) << supervisor.log();
}

TEST(Stop, AskedForTwiceFromTheKeyboardDoesNotWait) {
  TempDir directory;
  auto options = options_in(directory, "deaf=1");
  options.stop_timeout_ns = 3'600'000'000'000;
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  supervisor.signal(SIGINT);
  ASSERT_TRUE(eventually([&] { return supervisor.log().find("stopping") != std::string::npos; }));
  supervisor.signal(SIGINT);
  EXPECT_EQ(supervisor.wait(), 0);
}

TEST(Stop, RefusesWhoStillWaitsToGetIn) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory, "gate=" + (directory.path("gate"))));
  ASSERT_TRUE(eventually([&] { return static_cast<bool>(connect_to(directory.path("pqd.sock"))); }));
  const UniqueFd waiting = connect_to(directory.path("pqd.sock"));
  ASSERT_TRUE(send_message(waiting.get(), Hello{}, {}, kPatience));
  ASSERT_TRUE(eventually([&] { return supervisor.engine_pid() != 0; }));
  supervisor.signal(SIGTERM);
  const auto reply = receive_reply(waiting.get(), kPatience);
  ASSERT_TRUE(reply) << supervisor.log();
  EXPECT_TRUE(std::holds_alternative<Refusal>(*reply));
  write_text(directory.path("gate"), "open");
  EXPECT_EQ(supervisor.wait(), 0);
}

TEST(Notify, TellsSystemdOfReadinessLifeAndEnd) {
  TempDir directory;
  const UniqueFd heard(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = directory.path("notify");
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(heard.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "30000", 1);
  RunningSupervisor supervisor(options_in(directory));
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  std::string all;
  const auto hears = [&](const std::string& word) {
    return eventually([&] {
      std::array<char, 256> buffer;
      const ssize_t n = ::recv(heard.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n > 0) all.append(buffer.data(), static_cast<size_t>(n)) += '\n';
      return all.find(word) != std::string::npos;
    });
  };
  EXPECT_TRUE(hears("READY=1"));
  all.clear();
  EXPECT_TRUE(hears("WATCHDOG=1"));
  supervisor.signal(SIGTERM);
  EXPECT_TRUE(hears("STOPPING=1"));
  EXPECT_EQ(supervisor.wait(), 0);
}

TEST(LogLimit, LetsAFewLinesASecondThroughAndCountsTheRest) {
  LogLimit limit;
  int64_t now_ns = 5'000'000'000;
  int lines = 0;
  for (int i = 0; i < 100; ++i) lines += limit.allow(now_ns) ? 1 : 0;
  EXPECT_EQ(lines, 5);
  now_ns += 1'000'000'000;
  EXPECT_EQ(limit.allow(now_ns), 95u);
  EXPECT_EQ(limit.allow(now_ns), 0u);
}

}  // namespace
}  // namespace pqd::supervisor_test
