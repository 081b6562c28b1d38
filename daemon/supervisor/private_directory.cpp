#include "daemon/supervisor/private_directory.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string_view>

#include "daemon/loop/event_loop.h"

namespace pqd {
namespace {

constexpr int kLockLookMs = 2;

// Who has the lock writes its pid a moment later; the look for it ends after this.
constexpr int64_t kOwnerNs = 1'000'000'000;

// A living process's pid, if the file has one: what stands there before the owner has written is that of the
// last one, which may be dead.
std::optional<pid_t> living_owner(int fd) {
  std::array<char, 32> text{};
  const ssize_t bytes = ::pread(fd, text.data(), text.size() - 1, 0);
  const std::string_view said(text.data(), bytes > 0 ? static_cast<size_t>(bytes) : 0);
  pid_t pid = 0;
  if (!said.ends_with('\n')) return std::nullopt;
  if (std::from_chars(said.data(), said.data() + said.size() - 1, pid).ec != std::errc()) return std::nullopt;
  if (pid <= 0 || (::kill(pid, 0) != 0 && errno == ESRCH)) return std::nullopt;
  return pid;
}

// flock has no timeout of its own.
bool lock_in_time(int fd, int64_t patience_ns) {
  const int64_t end = EventLoop::monotonic_ns() + patience_ns;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || EventLoop::monotonic_ns() >= end) return false;
    ::poll(nullptr, 0, kLockLookMs);
    errno = EWOULDBLOCK;
  }
  return true;
}

std::expected<void, StartFailure> lock(int fd, const std::string& lock_path, const std::string& used,
                                       int64_t patience_ns) {
  std::string owner;
  const int64_t end = EventLoop::monotonic_ns() + patience_ns + kOwnerNs;
  while (owner.empty()) {
    if (lock_in_time(fd, patience_ns)) return {};
    if (errno != EWOULDBLOCK) return std::unexpected(path_failure("cannot lock", lock_path, errno));
    patience_ns = kLockLookMs * 1'000'000;
    if (const auto pid = living_owner(fd)) owner = std::to_string(*pid);
    if (EventLoop::monotonic_ns() >= end) owner = "unknown";
  }
  return std::unexpected(StartFailure{
      kExitUnavailable,
      "another pqd (pid " + owner + ") uses " + used + ": stop it, or give this one a place of its own"});
}

}  // namespace

std::expected<void, StartFailure> make_directory(const std::string& path, mode_t mode) {
  std::error_code error;
  const auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return std::unexpected(path_failure("cannot create", parent.string(), error.value()));
  if (::mkdir(path.c_str(), 0700) == 0) {
    // Beyond what the umask leaves.
    if (::chmod(path.c_str(), mode) == 0) return {};
    return std::unexpected(path_failure("cannot set the mode of", path, errno));
  }
  if (errno != EEXIST) return std::unexpected(path_failure("cannot create", path, errno));
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::unexpected(path_failure("cannot use", path, errno));
  if (!S_ISDIR(status.st_mode)) return std::unexpected(path_failure("cannot use", path, ENOTDIR));
  return {};
}

std::expected<UniqueFd, StartFailure> take_lock(const std::string& lock_path, const std::string& used,
                                                int64_t patience_ns) {
  UniqueFd fd(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return std::unexpected(path_failure("cannot open", lock_path, errno));
  if (auto locked = lock(fd.get(), lock_path, used, patience_ns); !locked)
    return std::unexpected(locked.error());
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return std::unexpected(path_failure("cannot write", lock_path, errno == 0 ? ENOSPC : errno));
  return fd;
}

}  // namespace pqd
