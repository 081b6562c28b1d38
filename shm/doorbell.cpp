#include "shm/doorbell.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "shm/crash_point.h"

namespace pqd {
namespace {

constexpr uint64_t kOneRing = 1;
// The kernel's least, room for a few: one that is there says as much as many.
constexpr int kSendBytes = 1;

}  // namespace

void EngineBell::ring(uint32_t word) {
  rung_ = word;
  PQD_CRASH_POINT("engine-found-asleep");
  // A failed write has no cure here: EAGAIN means that it is readable already, anything else that the session
  // is being torn down. The same holds below.
  [[maybe_unused]] const ssize_t written = ::write(event_fd_, &kOneRing, sizeof kOneRing);
  PQD_CRASH_POINT("engine-rung");
}

Sleeper::Sleeper(WakePage& page) : page_(&page) {
  // relaxed: our own word; a predecessor's store came to us through its death.
  word_ = page.sleeping.load(std::memory_order_relaxed) | 1;
  disarm();
}

std::expected<ClientBellEnds, SysError> make_client_bell() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return std::unexpected(SysError::last("socketpair"));
  ClientBellEnds bell{UniqueFd(ends[0]), UniqueFd(ends[1])};
  // What a client left here would be the daemon's to close, descriptors among it.
  if (::shutdown(ends[0], SHUT_RD) != 0) return std::unexpected(SysError::last("shutdown"));
  if (::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &kSendBytes, sizeof kSendBytes) != 0)
    return std::unexpected(SysError::last("setsockopt"));
  return bell;
}

void ClientBell::ring(uint32_t word) {
  rung_ = word;
  PQD_CRASH_POINT("client-found-asleep");
  [[maybe_unused]] const ssize_t sent =
      ::send(socket_, &kOneRing, sizeof kOneRing, MSG_DONTWAIT | MSG_NOSIGNAL);
  PQD_CRASH_POINT("client-rung");
}

bool Waiter::wait(int timeout_ms) {
  pollfd wanted{.fd = doorbell_, .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, timeout_ms) <= 0) return false;
  drain();
  return true;
}

void Waiter::drain() {
  // All of them at once, as a rule. Not recv(): an earlier daemon gives an eventfd.
  std::array<uint64_t, 32> rings;
  ssize_t bytes = 0;
  do {
    bytes = ::read(doorbell_, rings.data(), sizeof rings);
  } while (bytes == static_cast<ssize_t>(sizeof rings));
  ended_ |= bytes == 0;
}

}  // namespace pqd
