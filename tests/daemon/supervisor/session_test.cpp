// From a client's arrival to its end, over a real supervisor.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "core/error.h"
#include "shm/memfd.h"
#include "tests/daemon/supervisor/fixtures.h"

namespace pqd::supervisor_test {
namespace {

bool can_be_written(int fd) {
  void* memory = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory != MAP_FAILED) ::munmap(memory, kPageBytes);
  return memory != MAP_FAILED || ::pwrite(fd, "x", 1, 0) == 1 ||
         ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPageBytes) == 0;
}

uint64_t closed_seen(const TestClient& client) { return client.down().lane(Lane::kLow).head.load(); }

TEST(Session, HasSegmentsThatEngineAndClientShare) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto client = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(client) << supervisor.log();
  EXPECT_EQ(client->welcome().session, 1u);
  EXPECT_EQ(client->welcome().tag, 1u);
  EXPECT_EQ(client->welcome().resumed, 0u);
  EXPECT_EQ(client->welcome().max_payload_bytes, 256u << 10);
  EXPECT_EQ(client->down().header().magic, kMagic);
  EXPECT_EQ(client->down().header().session, 1u);
  EXPECT_EQ(client->down().header().sizes, client->welcome().sizes);
  EXPECT_EQ(client->epoch(), static_cast<uint64_t>(supervisor.engine_pid()));
  client->order(1);
  Waiter waiter(client->up().header(), client->fds().engine_doorbell.get());
  EXPECT_TRUE(waiter.wait(static_cast<int>(kPatience.count())));
}

TEST(Session, LeavesTheClientNothingToWriteButUp) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto client = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(client);
  EXPECT_FALSE(can_be_written(client->fds().down.get()));
  EXPECT_FALSE(can_be_written(client->fds().wake.get()));
  EXPECT_TRUE(check_memfd(client->fds().up.get(), up_layout(client->welcome().sizes).file_bytes()));
  EXPECT_NE(::fcntl(client->fds().up.get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  EXPECT_NE(::ftruncate(client->fds().up.get(), 0), 0);
}

TEST(Session, TellsTheEngineWhatTheClientWantsToResume) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  Hello hello;
  hello.resume_session = 77;
  auto client = TestClient::open(directory.path("pqd.sock"), hello);
  ASSERT_TRUE(client);
  EXPECT_EQ(client->welcome().resumed, 1u);
  EXPECT_EQ(client->down().lane(Lane::kHigh).head.load(), 77u);
}

TEST(Session, EndsForTheEngineWhenItsClientDies) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto witness = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(witness);
  ChildProcess victim([&] {
    auto client = TestClient::open(directory.path("pqd.sock"));
    if (client) ::pause();
    return 1;
  });
  ASSERT_TRUE(eventually([&] { return witness->down().lane(Lane::kNormal).head.load() == 2; }));
  EXPECT_EQ(closed_seen(*witness), 0u);
  victim.signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return closed_seen(*witness) == 1; }));
}

TEST(Session, IsClosedWhenTheEngineCallsItBroken) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto broken = TestClient::open(directory.path("pqd.sock"));
  auto other = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(broken && other);
  broken->order(3);
  EXPECT_TRUE(broken->closed_by_daemon());
  EXPECT_TRUE(eventually([&] { return closed_seen(*other) == 1; }));
  EXPECT_NE(supervisor.log().find("broke the rules"), std::string::npos);
}

TEST(Session, IsClosedWhenItsClientSpeaksAfterItsHello) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  const UniqueFd socket = connect_to(directory.path("pqd.sock"));
  ASSERT_TRUE(send_message(socket.get(), Hello{}, {}, kPatience));
  ASSERT_TRUE(receive_reply(socket.get(), kPatience));
  ASSERT_TRUE(send_message(socket.get(), Hello{}, {}, kPatience));
  std::array<std::byte, 16> buffer;
  const auto heard = receive_message(socket.get(), buffer, 0, kPatience);
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().fault, WireFault::kClosed);
}

TEST(Session, IsRefusedBeyondTheMostSessionsUntilOneEnds) {
  TempDir directory;
  auto options = options_in(directory);
  options.sessions_max = 2;
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  auto first = TestClient::open(directory.path("pqd.sock"));
  auto second = TestClient::open(directory.path("pqd.sock"));
  ASSERT_TRUE(first && second);
  Refusal refusal;
  EXPECT_FALSE(TestClient::open(directory.path("pqd.sock"), {}, &refusal));
  EXPECT_EQ(static_cast<Error>(refusal.code), Error::kUnavailable);
  EXPECT_NE(refusal_text(refusal).find("all 2 sessions"), std::string_view::npos);
  first->close();
  EXPECT_TRUE(eventually([&] { return TestClient::open(directory.path("pqd.sock")).has_value(); }));
}

TEST(Session, IsRefusedToAUserThatHasAsManyAsItMayAndGivenToOthers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  TempDir directory;
  auto options = options_in(directory);
  options.user_sessions_max = 2;
  options.access.everyone.emplace().operates = true;
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  ASSERT_EQ(::chmod(directory.path().c_str(), 0711), 0);
  const auto greedy = [&](uint32_t uid) {
    return [&directory, uid] {
      if (::setgid(uid) != 0 || ::setuid(uid) != 0) return 2;
      const std::string path = directory.path("pqd.sock");
      const auto first = TestClient::open(path);
      auto second = TestClient::open(path);
      if (!first || !second) return 3;
      Refusal refusal;
      if (TestClient::open(path, {}, &refusal)) return 4;
      const std::string named = "uid " + std::to_string(uid) + " has all of its 2 sessions";
      if (static_cast<Error>(refusal.code) != Error::kUnavailable) return 5;
      if (refusal_text(refusal).find(named) == std::string_view::npos) return 6;
      second->close();
      return eventually([&] { return TestClient::open(path).has_value(); }) ? 0 : 7;
    };
  };
  ChildProcess one(greedy(65'534));
  ChildProcess other(greedy(65'533));
  EXPECT_EQ(one.wait(), 0);
  EXPECT_EQ(other.wait(), 0);
  std::vector<TestClient> roots;
  for (int i = 0; i < 4; ++i) {
    auto client = TestClient::open(directory.path("pqd.sock"));
    ASSERT_TRUE(client);
    roots.push_back(std::move(*client));
  }
}

TEST(Session, IsRefusedToAUserWhoseRingsTakeAllMemoryThatItMayAndGivenToOthers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  TempDir directory;
  auto options = options_in(directory);
  options.user_memory_bytes_max = 80u << 20;
  options.access.everyone.emplace().operates = true;
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  ASSERT_EQ(::chmod(directory.path().c_str(), 0711), 0);
  const auto open_large = [&](Refusal* refusal) {
    Hello large;
    large.sizes.deliveries_bytes = 64u << 20;
    return TestClient::open(directory.path("pqd.sock"), large, refusal);
  };
  const auto greedy = [&](uint32_t uid) {
    return [&open_large, uid] {
      if (::setgid(uid) != 0 || ::setuid(uid) != 0) return 2;
      auto first = open_large(nullptr);
      if (!first) return 3;
      Refusal refusal;
      if (open_large(&refusal)) return 4;
      if (static_cast<Error>(refusal.code) != Error::kUnavailable) return 5;
      const std::string named = "of 80 MiB for uid " + std::to_string(uid) + " it has taken";
      if (refusal_text(refusal).find(named) == std::string_view::npos) return 6;
      first->close();
      return eventually([&] { return open_large(nullptr).has_value(); }) ? 0 : 7;
    };
  };
  ChildProcess one(greedy(65'534));
  ChildProcess other(greedy(65'533));
  EXPECT_EQ(one.wait(), 0);
  EXPECT_EQ(other.wait(), 0);
  const auto first = open_large(nullptr);
  const auto second = open_large(nullptr);
  EXPECT_TRUE(first && second) << "root may have all";
}

TEST(Session, IsRefusedWhenItsRingsWouldTakeMoreMemoryThanThereIs) {
  TempDir directory;
  auto options = options_in(directory);
  options.memory_bytes_max = 16u << 20;
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  Hello greedy;
  greedy.sizes.deliveries_bytes = 64u << 20;
  Refusal refusal;
  EXPECT_FALSE(TestClient::open(directory.path("pqd.sock"), greedy, &refusal));
  EXPECT_NE(refusal_text(refusal).find("MiB"), std::string_view::npos);
  EXPECT_TRUE(TestClient::open(directory.path("pqd.sock")));
}

TEST(Session, IsRefusedToAnotherUserWithTheReason) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  struct stat status {};
  ASSERT_EQ(::stat((directory.path("pqd.sock")).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  // Past the first line of defence, for the sake of the second.
  ASSERT_EQ(::chmod(directory.path().c_str(), 0711), 0);
  ASSERT_EQ(::chmod((directory.path("pqd.sock")).c_str(), 0666), 0);
  ChildProcess stranger([&] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 2;
    Refusal refusal;
    if (TestClient::open(directory.path("pqd.sock"), {}, &refusal)) return 3;
    const bool named = refusal_text(refusal).find("65534") != std::string_view::npos;
    return static_cast<Error>(refusal.code) == Error::kUnauthorized && named ? 0 : 4;
  });
  EXPECT_EQ(stranger.wait(), 0);
  EXPECT_NE(supervisor.log().find("65534"), std::string::npos);
}

TEST(Session, IsRefusedToAnotherVersionNamingBoth) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  Hello hello;
  hello.abi_min = 41;
  hello.abi_max = 43;
  Refusal refusal;
  EXPECT_FALSE(TestClient::open(directory.path("pqd.sock"), hello, &refusal));
  EXPECT_NE(refusal_text(refusal).find("version 1"), std::string_view::npos) << refusal_text(refusal);
  EXPECT_NE(refusal_text(refusal).find("41 to 43"), std::string_view::npos) << refusal_text(refusal);
}

TEST(Session, IsNotGivenForGarbage) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  Hello wrong_sizes;
  wrong_sizes.sizes.receipt_slots = 3;
  Hello unprintable;
  unprintable.client_name[0] = '\n';
  std::vector<std::vector<std::byte>> messages{std::vector<std::byte>(1), std::vector<std::byte>(120),
                                               std::vector<std::byte>(2000)};
  for (const Hello& hello : {wrong_sizes, unprintable}) {
    const auto bytes = std::as_bytes(std::span(&hello, 1));
    messages.emplace_back(bytes.begin(), bytes.end());
  }
  for (const auto& message : messages) {
    const auto reply = reply_to(directory.path("pqd.sock"), message);
    ASSERT_FALSE(reply) << message.size();
    EXPECT_EQ(reply.error().fault, WireFault::kClosed) << message.size();
  }
  EXPECT_TRUE(TestClient::open(directory.path("pqd.sock")));
}

TEST(Session, IsNotGivenWithoutAHelloInTime) {
  TempDir directory;
  auto options = options_in(directory);
  options.hello_timeout_ns = 20'000'000;
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  const UniqueFd silent = connect_to(directory.path("pqd.sock"));
  const auto reply = receive_reply(silent.get(), kPatience);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, WireFault::kClosed);
}

TEST(Session, IsGivenWhileStrangersHoldAllThePlacesTheyCanGet) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  TempDir directory;
  auto options = options_in(directory);
  options.sessions_max = 1;
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  ASSERT_EQ(::chmod(directory.path().c_str(), 0711), 0);
  ASSERT_EQ(::chmod((directory.path("pqd.sock")).c_str(), 0666), 0);
  ChildProcess stranger([&] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 2;
    std::vector<UniqueFd> silent;
    for (int i = 0; i < 200; ++i) silent.push_back(connect_to(directory.path("pqd.sock")));
    ::pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return supervisor.log().find("turned away") != std::string::npos; }));
  EXPECT_TRUE(TestClient::open(directory.path("pqd.sock")));
}

TEST(Session, IsGivenWhileOthersStaySilent) {
  TempDir directory;
  RunningSupervisor supervisor(options_in(directory));
  ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(connect_to(directory.path("pqd.sock")));
  EXPECT_TRUE(TestClient::open(directory.path("pqd.sock")));
}

TEST(Session, WaitsForAnEngineThatIsStillStarting) {
  TempDir directory;
  auto options = options_in(directory, "gate=" + (directory.path("gate")));
  options.hello_timeout_ns = 20'000'000;
  RunningSupervisor supervisor(options);
  ASSERT_TRUE(eventually([&] { return static_cast<bool>(connect_to(directory.path("pqd.sock"))); }));
  const UniqueFd early = connect_to(directory.path("pqd.sock"));
  ASSERT_TRUE(send_message(early.get(), Hello{}, {}, kPatience));
  // Silent since the same moment: when its time is up, so is that of a Hello's.
  const UniqueFd silent = connect_to(directory.path("pqd.sock"));
  EXPECT_FALSE(receive_reply(silent.get(), kPatience));
  write_text(directory.path("gate"), "open");
  const auto reply = receive_reply(early.get(), kPatience);
  ASSERT_TRUE(reply) << supervisor.log();
  EXPECT_TRUE(std::holds_alternative<Accepted>(*reply));
}

}  // namespace
}  // namespace pqd::supervisor_test
