#include "daemon/supervisor/state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "shm/crash_point.h"
#include "shm/unique_fd.h"

namespace pqd {
namespace {

std::expected<void, SysError> write_new(const std::string& path, std::string_view bytes) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return std::unexpected(SysError::last("open"));
  errno = ENOSPC;  // what a short write means
  if (::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    return std::unexpected(SysError::last("write"));
  if (::fdatasync(fd.get()) != 0) return std::unexpected(SysError::last("fdatasync"));
  return {};
}

std::expected<void, SysError> sync_directory_of(const std::string& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return std::unexpected(SysError::last("open"));
  if (::fsync(fd.get()) != 0) return std::unexpected(SysError::last("fsync"));
  return {};
}

}  // namespace

std::expected<void, SysError> replace_state_file(const std::string& directory, std::string_view name,
                                                 std::string_view bytes) {
  const std::string path = directory + "/" + std::string(name);
  const std::string beside = path + ".new";
  if (auto written = write_new(beside, bytes); !written) return written;
  PQD_CRASH_POINT("state-file-written");
  if (::rename(beside.c_str(), path.c_str()) != 0) return std::unexpected(SysError::last("rename"));
  PQD_CRASH_POINT("state-file-renamed");
  return sync_directory_of(directory);
}

}  // namespace pqd
