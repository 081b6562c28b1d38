// Why the supervisor could not start: the exit status (sysexits) and one sentence that says what to do.
#pragma once

#include <string>

namespace pqd {

inline constexpr int kExitUsage = 64;
inline constexpr int kExitUnavailable = 69;
inline constexpr int kExitSoftware = 70;
inline constexpr int kExitSystem = 71;
inline constexpr int kExitMissingFile = 72;
inline constexpr int kExitCannotCreate = 73;
inline constexpr int kExitTryLater = 75;
inline constexpr int kExitConfig = 78;

struct StartFailure {
  int exit_status = kExitSoftware;
  std::string text;
};

// For a failed call on a file or directory of ours: `what` as in "cannot write", and an errno. A full disk is
// a reason to come back later, named NO_SPACE; everything else wants a change.
StartFailure path_failure(const std::string& what, const std::string& path, int number);

}  // namespace pqd
