#include "daemon/store/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pqd {
namespace {

std::string owner_of(int fd) {
  char text[32] = {};
  const ssize_t n = ::pread(fd, text, sizeof text - 1, 0);
  std::string pid(text, n > 0 ? static_cast<size_t>(n) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

}  // namespace

StoreResult<UniqueFd> lock_directory(const std::string& directory) {
  const std::string path = directory + "/lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) {
    const bool full = errno == ENOSPC || errno == EDQUOT;
    return std::unexpected(StoreError{full ? Error::kNoSpace : Error::kSystemError,
                                      "cannot open " + path + ": " + std::strerror(errno), true});
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return std::unexpected(StoreError{Error::kUnavailable,
                                      "another pqd (pid " + owner_of(fd.get()) + ") uses " + directory +
                                          ": stop it, or give this one a directory of its own",
                                      true});
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    return std::unexpected(StoreError{errno == ENOSPC ? Error::kNoSpace : Error::kSystemError,
                                      "cannot write " + path + ": " + std::strerror(errno), true});
  }
  return fd;
}

}  // namespace pqd
