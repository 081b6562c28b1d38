#include "daemon/supervisor/notify_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace pqd {
namespace {

constexpr int64_t kRetryNs = 5'000'000;
// A service manager that takes nothing any more is not waited for with all that there is to say.
constexpr size_t kLettersMax = 1 << 16;

UniqueFd connect_to_manager() {
  const char* named = std::getenv("NOTIFY_SOCKET");
  std::string path = named == nullptr ? "" : named;
  const bool known = path.starts_with('/') || path.starts_with('@');
  if (!known || path.size() >= sizeof(sockaddr_un::sun_path)) return {};
  if (path.front() == '@') path.front() = '\0';
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    socket.reset();
  return socket;
}

std::expected<void, WireError> put(int socket, std::string_view text, int fd, WireTimeout timeout) {
  const std::array<int, 1> fds{fd};
  return send_message(socket, std::as_bytes(std::span(text)), std::span(fds).first(fd < 0 ? 0 : 1), timeout);
}

}  // namespace

NotifySocket::NotifySocket(EventLoop& loop) : loop_(loop), socket_(connect_to_manager()) {}

NotifySocket::~NotifySocket() { loop_.cancel_timer(retry_timer_); }

void NotifySocket::send(std::string_view text, int fd) {
  if (!socket_) return;
  if (letters_.size() >= kLettersMax) {
    dropped_ = true;
    return;
  }
  // A copy, because the caller may close its own before there is room.
  UniqueFd copy(fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (fd >= 0 && !copy) {
    dropped_ = true;
    return;
  }
  letters_.push_back({std::string(text), std::move(copy)});
  if (letters_.size() == 1) send_some();
}

void NotifySocket::send_some() {
  loop_.cancel_timer(retry_timer_);
  retry_timer_ = 0;
  while (!letters_.empty()) {
    const auto sent =
        put(socket_.get(), letters_.front().text, letters_.front().fd.get(), WireTimeout::zero());
    if (!sent && sent.error().fault == WireFault::kTimeout) {
      retry_timer_ = loop_.arm_timer(EventLoop::monotonic_ns() + kRetryNs, [this] { send_some(); });
      return;
    }
    dropped_ |= !sent;
    letters_.pop_front();
  }
}

bool NotifySocket::flush(WireTimeout timeout) {
  const auto end = EventLoop::monotonic_ns() + std::chrono::nanoseconds(timeout).count();
  while (!letters_.empty()) {
    const auto left = WireTimeout(std::max<int64_t>((end - EventLoop::monotonic_ns()) / 1'000'000, 0));
    const auto sent = put(socket_.get(), letters_.front().text, letters_.front().fd.get(), left);
    if (!sent && sent.error().fault == WireFault::kTimeout) return false;
    dropped_ |= !sent;
    letters_.pop_front();
  }
  return !std::exchange(dropped_, false);
}

}  // namespace pqd
