#include "daemon/supervisor/start_failure.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace pqd {
namespace {

std::string remedy(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return "make room on its file system, then start pqd again";
    case EACCES:
    case EPERM:
      return "give it to the user that pqd runs as, or name another directory";
    case EROFS:
      return "its file system is read-only: make it writable, or name another directory";
    case ENOTDIR:
    case ENOENT:
      return "create the directory above it, or name another one";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files";
    default:
      return "mend the cause, then start pqd again";
  }
}

// What is free where `path` is, or was to be.
std::string free_text(const std::string& path) {
  std::error_code error;
  auto space = std::filesystem::space(path, error);
  if (error) space = std::filesystem::space(std::filesystem::path(path).parent_path(), error);
  return error ? "" : "; " + std::to_string(space.available >> 10) + " KiB are free";
}

}  // namespace

StartFailure path_failure(const std::string& what, const std::string& path, int number) {
  const bool full = number == ENOSPC || number == EDQUOT;
  const std::string text = what + " " + path + " (" + std::generic_category().message(number) +
                           (full ? free_text(path) : "") + "): " + remedy(number);
  if (full) return {kExitTryLater, "NO_SPACE: " + text};
  return {kExitCannotCreate, text};
}

}  // namespace pqd
