#include "shm/seqpacket.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "tests/shm/fixtures.h"

namespace pqd {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kPatience{60'000};

struct SocketPair {
  SocketPair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()), 0);
    a.reset(fds[0]);
    b.reset(fds[1]);
  }
  UniqueFd a;
  UniqueFd b;
};

size_t open_fds() {
  size_t count = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

std::expected<ReceivedMessage, WireError> receive(const UniqueFd& socket, size_t fds_max) {
  std::array<std::byte, 64> buffer;
  return receive_message(socket.get(), buffer, fds_max, kPatience);
}

TEST(Seqpacket, CarriesOneWholeMessageAndItsDescriptors) {
  SocketPair pair;
  const UniqueFd event = test::make_event();
  const std::array<int, 1> fds{event.get()};
  ASSERT_TRUE(send_message(pair.a.get(), uint64_t{42}, fds, kPatience));
  const auto got = receive(pair.b, 1);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->bytes, 8u);
  ASSERT_EQ(got->fds.size(), 1u);
  EXPECT_EQ(::fcntl(got->fds[0].get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  const uint64_t one = 1;
  ASSERT_EQ(::write(got->fds[0].get(), &one, sizeof one), 8);
  EXPECT_EQ(test::take_rings(event), 1u);
}

TEST(Seqpacket, WhatComesNextCanBeToldWithoutTakingIt) {
  SocketPair pair;
  const int socket = pair.b.get();
  EXPECT_EQ(next_message(socket), NextMessage::kNone);
  const UniqueFd event = test::make_event();
  const std::array<int, 1> fds{event.get()};
  ASSERT_TRUE(send_message(pair.a.get(), uint64_t{1}, {}, kPatience));
  ASSERT_TRUE(send_message(pair.a.get(), uint64_t{2}, fds, kPatience));
  EXPECT_EQ(next_message(socket), NextMessage::kPlain);
  ASSERT_TRUE(receive(pair.b, 0));
  const size_t open = open_fds();
  EXPECT_EQ(next_message(socket), NextMessage::kWithFds);
  EXPECT_EQ(open_fds(), open);
  const auto got = receive(pair.b, 1);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->fds.size(), 1u);
  pair.a.reset();
  EXPECT_EQ(next_message(socket), NextMessage::kPlain);
  EXPECT_FALSE(receive(pair.b, 0));
}

// On kernels before Linux 6.16 there is nothing to be said against them.
TEST(Seqpacket, DescriptorsThatAreRefusedStayWithTheirSender) {
  SocketPair pair;
  refuse_extras(pair.b.get());
  const UniqueFd event = test::make_event();
  const std::array<int, 1> fds{event.get()};
  const auto sent = send_message(pair.a.get(), uint64_t{1}, fds, kPatience);
  if (sent) GTEST_SKIP() << "this kernel lets them come";
  EXPECT_EQ(sent.error().number, EPERM);
  EXPECT_TRUE(send_message(pair.a.get(), uint64_t{2}, {}, kPatience));
  EXPECT_TRUE(receive(pair.b, 0));
}

TEST(Seqpacket, SilenceEndsInATimeout) {
  SocketPair pair;
  std::array<std::byte, 64> buffer;
  const auto got = receive_message(pair.b.get(), buffer, 0, milliseconds(10));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().fault, WireFault::kTimeout);
}

TEST(Seqpacket, APeerThatDoesNotReadEndsInATimeout) {
  SocketPair pair;
  std::expected<void, WireError> sent;
  const std::array<std::byte, 4096> block{};
  for (int i = 0; i < 10'000 && sent; ++i) sent = send_message(pair.a.get(), block, {}, milliseconds(10));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().fault, WireFault::kTimeout);
}

TEST(Seqpacket, APeerThatIsGoneIsClosedOnBothEnds) {
  SocketPair pair;
  pair.a.reset();
  EXPECT_EQ(receive(pair.b, 0).error().fault, WireFault::kClosed);
  EXPECT_EQ(send_message(pair.b.get(), 1, {}, kPatience).error().fault, WireFault::kClosed);
}

TEST(Seqpacket, AMessageThatIsTooLongIsRefusedAndItsDescriptorsClosed) {
  SocketPair pair;
  const UniqueFd event = test::make_event();
  const std::array<int, 1> fds{event.get()};
  const std::array<std::byte, 65> long_message{};
  ASSERT_TRUE(send_message(pair.a.get(), long_message, fds, kPatience));
  const size_t before = open_fds();
  EXPECT_EQ(receive(pair.b, 1).error().fault, WireFault::kWrongSize);
  EXPECT_EQ(open_fds(), before);
}

TEST(Seqpacket, MoreDescriptorsThanExpectedAreRefusedAndClosed) {
  SocketPair pair;
  const UniqueFd event = test::make_event();
  const std::vector<int> fds(6, event.get());
  ASSERT_TRUE(send_message(pair.a.get(), 1, fds, kPatience));
  const size_t before = open_fds();
  EXPECT_EQ(receive(pair.b, 5).error().fault, WireFault::kWrongFds);
  EXPECT_EQ(open_fds(), before);
}

// As many as the kernel lets through, far more than there is room for.
TEST(Seqpacket, AFloodOfDescriptorsLeavesNoneBehind) {
  SocketPair pair;
  const UniqueFd event = test::make_event();
  constexpr size_t kFlood = 200;
  const std::vector<int> fds(kFlood, event.get());
  std::vector<char> control(CMSG_SPACE(kFlood * sizeof(int)));
  char byte = 'x';
  iovec bytes{.iov_base = &byte, .iov_len = 1};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* const part = CMSG_FIRSTHDR(&header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(kFlood * sizeof(int));
  std::memcpy(CMSG_DATA(part), fds.data(), kFlood * sizeof(int));
  ASSERT_EQ(::sendmsg(pair.a.get(), &header, 0), 1);
  const size_t before = open_fds();
  EXPECT_EQ(receive(pair.b, 5).error().fault, WireFault::kWrongFds);
  EXPECT_EQ(open_fds(), before);
}

TEST(Seqpacket, WaitsForAMessageThatComesLater) {
  SocketPair pair;
  std::thread sender([&] { send_message(pair.a.get(), 7, {}, kPatience).value(); });
  EXPECT_EQ(receive(pair.b, 0).value().bytes, 4u);
  sender.join();
}

}  // namespace
}  // namespace pqd
