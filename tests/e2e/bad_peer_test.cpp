// Who is not what the other end expects: strangers, other versions, garbage, silence.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "bindings/cpp/client.h"
#include "bindings/cpp/client_session.h"
#include "core/submit_record.h"
#include "shm/handshake.h"
#include "tests/e2e/raw_socket.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

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

// One more job of a session whose client always says that it sleeps, and never takes a ring.
bool submit_asleep(ClientSession& session, uint32_t& word) {
  SubmitView view;
  view.head.id = session.next_id(Lane::kNormal);
  view.queue = "default";
  view.type = "t";
  RingWriter& writer = session.writer(Lane::kNormal);
  const auto room = writer.reserve(static_cast<uint32_t>(submit_record_bytes(view)));
  if (room.empty()) return false;
  write_submit_record(view, room);
  writer.commit(static_cast<uint32_t>(room.size()));
  session.up.header().waiting.store(word += 2);
  writer.publish();
  session.bell.ring_if_sleeping();
  const uint64_t sent = session.count(Lane::kNormal, Durability::kOs);
  return eventually([&] { return load_watermarks(session.down.lane(Lane::kNormal)).applied >= sent; });
}

TEST_F(BadPeer, ThatStopsUpItsDoorbellHoldsUpNobodysWork) {
  const auto opened = ClientSession::open(daemon_.socket(), {}, Deadline::in(kWatchdog));
  ASSERT_TRUE(opened) << opened.error().text;
  ClientSession& hostile = **opened;
  const int doorbell = hostile.engine_doorbell.get();
  ASSERT_EQ(::fcntl(doorbell, F_SETFL, 0), 0);
  const uint64_t nearly_full = ~uint64_t{0} - 1;
  // An eventfd would be full now; a socket that takes nothing says so.
  ASSERT_LT(::send(doorbell, &nearly_full, sizeof nearly_full, MSG_NOSIGNAL | MSG_DONTWAIT), 0);
  if (errno == ENOTSOCK) {
    ASSERT_EQ(::write(doorbell, &nearly_full, sizeof nearly_full), 8);
  }
  uint32_t word = 1;
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(submit_asleep(hostile, word)) << "after " << i;
  auto other = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(other) << other.error().text;
  const auto ticket = other->submit({.type = "t"});
  ASSERT_TRUE(ticket) << ticket.error().text;
  EXPECT_TRUE(other->wait(*ticket, kWatchdog));
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
