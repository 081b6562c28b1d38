// The limit of open files. Descriptors are given lowest number first, so that the number of a new one says
// how few are left. Any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "daemon/supervisor/start_failure.h"

namespace pqd {

// Kept back: for an engine's start and for files that are replaced; and, of what is left, for those who come
// although there is no session for them, so that they hear why.
inline constexpr uint64_t kFilesKept = 8;
inline constexpr uint64_t kFilesForRefusals = 16;

// What whoever runs pqd can do.
inline constexpr char kRaiseOpenFiles[] = "raise the limit (LimitNOFILE= of the unit, ulimit -n)";

// The soft limit up to the hard one: it is low for the sake of programs that use select(), which we do not.
// Refused when the store would not get what it needs; a warning when sessions_max may not be reached.
std::expected<void, StartFailure> raise_open_files(uint32_t sessions_max);

// No more than `kept` are left behind this one.
bool leaves_few(int fd, uint64_t kept);

// All are taken: why there is no session.
std::string no_open_files_text();

// For a child that was forked without exec. Negative numbers are passed over.
void close_all_but(std::vector<int> keep);

}  // namespace pqd
