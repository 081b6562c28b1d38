// Who is not what the other end expects: strangers, other versions, garbage, silence.
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bindings/cpp/client.h"
#include "shm/handshake.h"
#include "tests/e2e/raw_socket.h"
#include "tests/e2e/with_pqctl.h"

namespace pqd::test {
namespace {

using BadPeer = WithPqctl;
constexpr WireTimeout kPatience{30'000};
constexpr const char* kNobody = "65534";

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
