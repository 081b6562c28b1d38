#include "shm/seqpacket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace pqd {
namespace {

using Clock = std::chrono::steady_clock;

// The kernel drops what does not fit (MSG_CTRUNC); one more than any message carries, so that excess is seen.
constexpr size_t kFdsMax = 8;

std::unexpected<WireError> fault(WireFault what, int number = 0) {
  return std::unexpected(WireError{what, number});
}

std::unexpected<WireError> system_fault() {
  const bool gone = errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN;
  return fault(gone ? WireFault::kClosed : WireFault::kSystem, errno);
}

bool try_again() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

std::expected<void, WireError> wait_until(int socket, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return fault(WireFault::kTimeout);
    pollfd wanted{.fd = socket, .events = events, .revents = 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::min<int64_t>(left.count(), 1'000'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return system_fault();
  }
}

// Room for the control message, aligned as the kernel's macros want it.
struct alignas(cmsghdr) ControlBuffer {
  std::array<char, CMSG_SPACE(kFdsMax * sizeof(int))> bytes{};
};

void put_fds(msghdr& header, ControlBuffer& control, std::span<const int> fds) {
  if (fds.empty()) return;
  header.msg_control = control.bytes.data();
  header.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* part = CMSG_FIRSTHDR(&header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(part), fds.data(), fds.size_bytes());
}

std::vector<UniqueFd> take_fds(msghdr& header) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

// Of the kernel's, which older headers do not have.
constexpr int kSoPassPidFd = 76;
constexpr int kSoPassRights = 83;

}  // namespace

NextMessage next_message(int socket) {
  msghdr header{};  // without room for descriptors, of which the kernel tells
  if (::recvmsg(socket, &header, MSG_PEEK | MSG_DONTWAIT) < 0) return NextMessage::kNone;
  return (header.msg_flags & MSG_CTRUNC) != 0 ? NextMessage::kWithFds : NextMessage::kPlain;
}

void refuse_extras(int socket) {
  const int no = 0;
  for (const int what : {kSoPassRights, SO_PASSCRED, SO_PASSSEC, kSoPassPidFd})
    ::setsockopt(socket, SOL_SOCKET, what, &no, sizeof no);
}

std::expected<void, WireError> send_message(int socket, std::span<const std::byte> message,
                                            std::span<const int> fds, WireTimeout timeout) {
  if (fds.size() > kFdsMax) return fault(WireFault::kWrongFds);
  const auto deadline = Clock::now() + timeout;
  iovec bytes{.iov_base = const_cast<std::byte*>(message.data()), .iov_len = message.size()};
  ControlBuffer control;
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  put_fds(header, control, fds);
  for (;;) {
    // A message of this kind of socket goes out whole or not at all.
    if (::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return {};
    if (!try_again()) return system_fault();
    if (auto ready = wait_until(socket, POLLOUT, deadline); !ready) return ready;
  }
}

std::expected<ReceivedMessage, WireError> receive_message(int socket, std::span<std::byte> buffer,
                                                          size_t fds_max, WireTimeout timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    iovec bytes{.iov_base = buffer.data(), .iov_len = buffer.size()};
    ControlBuffer control;
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes.data();
    header.msg_controllen = control.bytes.size();
    const ssize_t received = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (received >= 0) {
      // First of all they get an owner, so that each way out closes them.
      std::vector<UniqueFd> fds = take_fds(header);
      if (received == 0) return fault(WireFault::kClosed);
      if ((header.msg_flags & MSG_TRUNC) != 0) return fault(WireFault::kWrongSize);
      if (fds.size() > fds_max) return fault(WireFault::kWrongFds);
      // Either more came than any message carries, or this process had no room for them.
      if ((header.msg_flags & MSG_CTRUNC) != 0) return fault(WireFault::kWrongFds, EMFILE);
      return ReceivedMessage{static_cast<size_t>(received), std::move(fds)};
    }
    if (!try_again()) return system_fault();
    if (auto ready = wait_until(socket, POLLIN, deadline); !ready) return std::unexpected(ready.error());
  }
}

}  // namespace pqd
