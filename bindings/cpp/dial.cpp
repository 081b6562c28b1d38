#include "bindings/cpp/dial.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace pqd {
namespace {

constexpr const char* kSystemSocket = "/run/pqd/pqd.sock";

// What an errno of connect() means for who called.
Failure connect_failure(const std::string& path, int number) {
  const std::string why = std::generic_category().message(number);
  if (number == EACCES || number == EPERM) {
    return {Error::kUnauthorized,
            "uid " + std::to_string(::geteuid()) + " may not open " + path +
                ": run this as root or as the daemon's user, or name another daemon's socket by --socket or "
                "PQD_SOCKET (" +
                why + ")"};
  }
  if (number == ENOENT || number == ECONNREFUSED || number == ENOTDIR) {
    return {Error::kUnavailable,
            "no daemon at " + path +
                ": start one with `pqd --dev`, or name its socket by --socket or "
                "PQD_SOCKET (" +
                why + ")",
            kAwayRetryMs};
  }
  if (number == EPROTOTYPE) {
    return {Error::kUnavailable, path + " is a socket of something else than pqd (" + why + ")"};
  }
  if (number == EAGAIN || number == EINPROGRESS || number == ETIMEDOUT) {
    return {Error::kUnavailable, "the daemon at " + path + " does not accept connections at the moment",
            kAwayRetryMs};
  }
  if (number == EMFILE) return {Error::kSystemError, no_descriptors_text(path)};
  return {Error::kSystemError, "connecting to " + path + " failed: " + why};
}

}  // namespace

std::string no_descriptors_text(const std::string& path) {
  return "this process has no room for the six descriptors of a session with " + path +
         ": raise its limit of open files (ulimit -n)";
}

std::string find_socket(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  if (const char* named = std::getenv("PQD_SOCKET"); named != nullptr && *named != '\0') return named;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0') {
    std::string own = std::string(runtime) + "/pqd/pqd.sock";
    if (::access(own.c_str(), F_OK) == 0) return own;
  }
  return kSystemSocket;
}

Result<UniqueFd> dial(const std::string& path, Deadline deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail_with(Error::kInvalidRequest, "the socket's path is over 107 bytes: " + path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return std::unexpected(connect_failure(path, errno));
  // A full backlog makes connect() wait; this bounds it.
  const auto left = std::max(deadline.left(), std::chrono::milliseconds(1));
  const timeval wait{.tv_sec = left.count() / 1000, .tv_usec = left.count() % 1000 * 1000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  int result = 0;
  do result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  while (result != 0 && errno == EINTR);
  if (result != 0) return std::unexpected(connect_failure(path, errno));
  return socket;
}

}  // namespace pqd
