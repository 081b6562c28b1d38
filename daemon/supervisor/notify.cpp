#include "daemon/supervisor/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <optional>

namespace pqd {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<int64_t> number_in(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int64_t watchdog_ns() {
  const auto pid = number_in(environment("WATCHDOG_PID"));
  if (pid && *pid != ::getpid()) return 0;
  const int64_t usec = number_in(environment("WATCHDOG_USEC")).value_or(0);
  // A third of what is allowed: one late turn is no failure.
  return usec > 0 && usec < INT64_MAX / 1000 ? usec * 1000 / 3 : 0;
}

}  // namespace

Notify Notify::from_environment() {
  Notify notify;
  notify.address_ = environment("NOTIFY_SOCKET");
  const bool known = notify.address_.starts_with('/') || notify.address_.starts_with('@');
  if (!known || notify.address_.size() >= sizeof(sockaddr_un::sun_path)) return notify;
  if (notify.address_.front() == '@') notify.address_.front() = '\0';
  notify.socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  notify.watchdog_interval_ns_ = watchdog_ns();
  return notify;
}

void Notify::send(std::string_view text) const {
  if (!socket_) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(address_.begin(), address_.end(), address.sun_path);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  [[maybe_unused]] const ssize_t sent =
      ::sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace pqd
