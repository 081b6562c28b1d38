// A directory that belongs to one pqd alone, and the lock that says so: an flock on a file that names its
// owner's pid for people. The kernel lets go of it with the process, however that ends, so that no start is
// ever blocked by a dead daemon.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <string>

#include "daemon/supervisor/start_failure.h"
#include "shm/unique_fd.h"

namespace pqd {

// Makes the directory, and those above it, if it is missing. `mode`: of the directory, if it is made.
std::expected<void, StartFailure> make_directory(const std::string& path, mode_t mode = 0700);

// Holds `lock_path` for as long as the descriptor lives. `used` is what the lock stands for, in the sentence
// for the one who comes second. `patience_ns`: how long to wait for the one who came first.
std::expected<UniqueFd, StartFailure> take_lock(const std::string& lock_path, const std::string& used,
                                                int64_t patience_ns = 0);

}  // namespace pqd
