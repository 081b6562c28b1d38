// The fixture itself: a test that trusts it has to be told the truth.
#include "tests/support/daemon.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "bindings/cpp/client.h"
#include "tests/support/descriptor_keeper.h"
#include "tests/support/eventually.h"
#include "tests/support/forked.h"
#include "tests/support/process.h"

namespace pqd::test {
namespace {

TEST_F(WithDaemon, ServesAndHasAnEngine) {
  EXPECT_TRUE(Client::connect({.socket = daemon_.socket()}));
  EXPECT_TRUE(is_alive(daemon_.engine()));
}

TEST_F(WithDaemon, GetsAnotherEngineWhenOneIsKilled) {
  const pid_t killed = daemon_.kill_engine();
  EXPECT_FALSE(is_alive(killed));
  EXPECT_TRUE(eventually([&] { return daemon_.engine() != killed; }));
  EXPECT_TRUE(Client::connect({.socket = daemon_.socket()}));
}

TEST_F(WithDaemon, StartsAgainOnItsDirectoryAfterBothAreKilled) {
  const pid_t engine = daemon_.engine();
  daemon_.kill();
  EXPECT_FALSE(is_alive(engine));
  EXPECT_FALSE(daemon_.running());
  ASSERT_TRUE(daemon_.start());
  EXPECT_TRUE(Client::connect({.socket = daemon_.socket()}));
}

TEST_F(WithDaemon, HasAnEngineThatStandsStillWhileFrozen) {
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client);
  ASSERT_TRUE(daemon_.freeze_engine());
  const auto ticket = client->submit({.type = "t"});
  ASSERT_TRUE(ticket);
  EXPECT_EQ(client->wait(*ticket, Milliseconds(50)).error().error, Error::kRequestTimeout);
  daemon_.thaw_engine();
  EXPECT_TRUE(client->wait(*ticket, Milliseconds(kWatchdog)));
}

TEST(ADaemon, TakesItsConfigurationAndSaysWhyItDoesNotStart) {
  Daemon good("[queue.mail]\nmax_active = 7\n");
  ASSERT_TRUE(good.start());
  Program bad({PQD_BIN_DIR "/pqd", "--dev", "--dir", good.directory()});
  EXPECT_EQ(bad.wait(), 69);
  EXPECT_TRUE(bad.says("another pqd"));
}

TEST(AProgram, TellsItsExitItsOutputAndWhatKilledIt) {
  const Ran ran = run({"sh", "-c", "cat; echo $A >&2; exit 3"}, {"A=b"}, "hello");
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ran.out, "hello");
  EXPECT_EQ(ran.err, "b\n");
  Program sleeper({"sleep", "1000"});
  EXPECT_TRUE(sleeper.running());
  sleeper.signal(SIGTERM);
  EXPECT_EQ(sleeper.wait(), 128 + SIGTERM);
}

TEST(AForkedProcess, SpeaksAndIsKilled) {
  Forked child([](const Forked::Say& say) {
    say("one");
    say("two");
    ::pause();
    return 0;
  });
  EXPECT_EQ(child.hear(), "one");
  EXPECT_EQ(child.hear(), "two");
  EXPECT_EQ(child.kill_and_wait(), 128 + SIGKILL);
  EXPECT_EQ(child.hear(), "");
}

// Sends until it is killed. The reader has to find memory for each.
int send_notifications(const std::string& path) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
  std::string message;
  for (int i = 0; i < 20; ++i) message += "FDSTOREREMOVE=1\nFDNAME=" + std::string(40, 'n') + "\n";
  while (::send(socket.get(), message.data(), message.size(), 0) > 0)
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  return 1;
}

TEST(AForkedProcess, FindsMemoryThoughAKeeperOfDescriptorsWasAtWorkWhenItWasMade) {
  DescriptorKeeper keeper;
  const std::string variable = keeper.environment().front();
  const std::string path = variable.substr(variable.find('=') + 1);
  Forked sender([&](const Forked::Say&) { return send_notifications(path); });
  for (int i = 0; i < 100; ++i) {
    Forked child([](const Forked::Say&) {
      std::vector<std::string> all;
      for (size_t bytes = 16; bytes < 100'000; bytes += bytes / 8)
        for (int k = 0; k < 20; ++k) all.emplace_back(bytes, 'x');
      return static_cast<int>(all.size() % 100);
    });
    ASSERT_NE(child.wait(), 128 + SIGKILL) << "after " << i << " of them";
  }
  EXPECT_TRUE(sender.running());
}

}  // namespace
}  // namespace pqd::test
