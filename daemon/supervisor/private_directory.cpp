#include "daemon/supervisor/private_directory.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "daemon/loop/event_loop.h"

namespace pqd {
namespace {

constexpr int kLockLookMs = 2;

std::string owner_of(int fd) {
  std::array<char, 32> text{};
  const ssize_t n = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), n > 0 ? static_cast<size_t>(n) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
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
  if (!lock_in_time(fd.get(), patience_ns)) {
    if (errno != EWOULDBLOCK) return std::unexpected(path_failure("cannot lock", lock_path, errno));
    return std::unexpected(
        StartFailure{kExitUnavailable, "another pqd (pid " + owner_of(fd.get()) + ") uses " + used +
                                           ": stop it, or give this one a place of its own"});
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return std::unexpected(path_failure("cannot write", lock_path, errno == 0 ? ENOSPC : errno));
  return fd;
}

}  // namespace pqd
