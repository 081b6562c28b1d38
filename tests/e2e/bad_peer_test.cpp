// Who is not what the other end expects: strangers, old versions, garbage, silence, and a daemon that is not
// there.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "bindings/cpp/client.h"
#include "shm/handshake.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/forked.h"

namespace pqd::test {
namespace {

using BadPeer = WithPqctl;
constexpr WireTimeout kPatience{30'000};
constexpr const char* kNobody = "65534";

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}
UniqueFd connected(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  return fd;
}
UniqueFd listening(const std::string& path, int type) {
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  EXPECT_EQ(::listen(fd.get(), 8), 0);
  return fd;
}
Ran pqctl_at(const std::string& socket, std::vector<std::string> words = {"health"}) {
  return run(pqctl_words(std::move(words)), {"PQD_SOCKET=" + socket});
}

TEST(NoDaemon, EndsWith69AndSaysHowToFindOne) {
  TempDir directory;
  const std::string socket = directory.path("pqd.sock");
  const auto is_told = [&](const std::string& why) {
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"health"}, {"submit", "t"}, {"ls"}, {"work", "t", "--", "true"}}) {
      const Ran ran = pqctl_at(socket, words);
      EXPECT_EQ(ran.exit, 69) << ran.err;
      EXPECT_EQ(ran.out, "");
      for (const std::string& part : {std::string("UNAVAILABLE"), socket, std::string("--socket"), why})
        EXPECT_TRUE(has(ran.err, part)) << ran.err;
    }
  };
  is_told("No such file or directory");
  listening(socket, SOCK_SEQPACKET);  // closed at once: a file that nobody listens to
  is_told("Connection refused");
}

TEST(NoDaemon, IsToldFromSomethingElseAtItsPlace) {
  TempDir directory;
  const UniqueFd other = listening(directory.path("stream"), SOCK_STREAM);
  const Ran ran = pqctl_at(directory.path("stream"));
  EXPECT_EQ(ran.exit, 69);
  EXPECT_TRUE(has(ran.err, "is a socket of something else than pqd")) << ran.err;
  const Ran too_long = pqctl_at("/" + std::string(200, 'x'));
  EXPECT_EQ(too_long.exit, 65);
  EXPECT_TRUE(has(too_long.err, "over 107 bytes")) << too_long.err;
}

TEST(NoDaemon, IsNotWaitedForBeyondTheTimeout) {
  TempDir directory;
  const UniqueFd silent = listening(directory.path("pqd.sock"), SOCK_SEQPACKET);
  const Ran ran = pqctl_at(directory.path("pqd.sock"), {"health", "--timeout", "200ms"});
  EXPECT_EQ(ran.exit, 69);
  EXPECT_TRUE(has(ran.err, "UNAVAILABLE") && has(ran.err, "did not answer in time")) << ran.err;
}

TEST(AnOldDaemon, IsNamedByItsVersion) {
  TempDir directory;
  const std::string socket = directory.path("pqd.sock");
  const UniqueFd listener = listening(socket, SOCK_SEQPACKET);
  Program client(pqctl_words({"health"}), {"PQD_SOCKET=" + socket});
  const UniqueFd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(receive_hello(peer.get(), kPatience));
  Refusal refusal;
  refusal.abi_min = kAbiVersion + 6;
  refusal.abi_max = kAbiVersion + 8;
  ASSERT_TRUE(send_message(peer.get(), refusal, {}, kPatience));
  EXPECT_EQ(client.wait(), 1);
  EXPECT_TRUE(has(client.err(), "this library speaks version 1, ") &&
              has(client.err(), "versions 7 to 9; install the same release"))
      << client.err();
}

TEST_F(BadPeer, OfAnotherVersionIsRefusedNamingBoth) {
  const UniqueFd peer = connected(daemon_.socket());
  Hello hello;
  hello.abi_min = 7;
  hello.abi_max = 9;
  ASSERT_TRUE(send_message(peer.get(), hello, {}, kPatience));
  const auto reply = receive_reply(peer.get(), kPatience);
  ASSERT_TRUE(reply);
  const auto* refusal = std::get_if<Refusal>(&*reply);
  ASSERT_NE(refusal, nullptr);
  EXPECT_EQ(static_cast<Error>(refusal->code), Error::kInvalidRequest);
  EXPECT_EQ(refusal->abi_max, kAbiVersion);
  EXPECT_TRUE(has(std::string(refusal_text(*refusal)), "speaks version 1") &&
              has(std::string(refusal_text(*refusal)), "versions 7 to 9"));
  EXPECT_TRUE(has(daemon_.log(), "versions 7 to 9"));
}

TEST_F(BadPeer, ThatTalksNonsenseOrNothingIsClosedWhileOthersAreServed) {
  const Hello hello;
  const auto bytes = std::as_bytes(std::span(&hello, 1));
  std::vector<std::byte> wrong_magic(bytes.begin(), bytes.end());
  wrong_magic[0] ^= std::byte{0xff};
  const std::vector<std::byte> zeros(bytes.size()), huge(100'000, std::byte{0x55}), one(1);
  const UniqueFd silent = connected(daemon_.socket());
  for (const std::span<const std::byte> message :
       {bytes.first(bytes.size() / 2), bytes.first(8), std::span<const std::byte>(wrong_magic),
        std::span<const std::byte>(zeros), std::span<const std::byte>(huge),
        std::span<const std::byte>(one)}) {
    const UniqueFd peer = connected(daemon_.socket());
    ASSERT_TRUE(send_message(peer.get(), message, {}, kPatience));
    const auto reply = receive_reply(peer.get(), kPatience);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().fault, WireFault::kClosed);
    EXPECT_EQ(pqctl({"health"}).exit, 0);
  }
  // Who says nothing is let go after five seconds.
  std::byte nothing{};
  EXPECT_EQ(::recv(silent.get(), &nothing, 1, 0), 0);
  EXPECT_TRUE(has(daemon_.log(), "it did not say hello in time"));
  EXPECT_TRUE(has(daemon_.log(), "a message has the wrong size"));
}

TEST_F(BadPeer, OfAnotherUserIsNotLetIn) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  const auto as_nobody = [&] {
    auto words = pqctl_words({"submit", "t"});
    words.insert(words.begin(), {"setpriv", "--reuid", kNobody, "--regid", kNobody, "--clear-groups"});
    return run(words, {daemon_.socket_variable()});
  };
  // By the file system first, and when somebody loosens that, by the daemon.
  Ran ran = as_nobody();
  EXPECT_EQ(ran.exit, 77) << ran.err;
  EXPECT_TRUE(has(ran.err, "UNAUTHORIZED: uid 65534 may not open") &&
              has(ran.err, "as root or as the daemon's user"))
      << ran.err;
  for (std::string path = daemon_.socket(); path.find("pqd-test-") != std::string::npos;
       path = path.substr(0, path.rfind('/')))
    ::chmod(path.c_str(), 0777);
  ran = as_nobody();
  EXPECT_EQ(ran.exit, 77) << ran.err;
  EXPECT_TRUE(has(ran.err, "UNAUTHORIZED: ") && has(ran.err, "uid 65534 may not use this pqd")) << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(job_count(), 0u);
  EXPECT_TRUE(has(daemon_.log(), "uid 65534 may not use this pqd"));
}

}  // namespace
}  // namespace pqd::test
