#include "daemon/supervisor/start_failure.h"

#include <cerrno>
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
      return "its file system is read-only: name another directory";
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

}  // namespace

StartFailure path_failure(const std::string& what, const std::string& path, int number) {
  return {kExitCannotCreate,
          what + " " + path + " (" + std::generic_category().message(number) + "): " + remedy(number)};
}

}  // namespace pqd
