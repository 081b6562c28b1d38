// One daemon a state directory: an flock on the file `lock` in it, which holds the owner's pid for people to
// read. The kernel lets go of it with the process, however that ends.
#pragma once

#include <string>

#include "daemon/store/store_error.h"
#include "shm/unique_fd.h"

namespace pqd {

// kUnavailable, not fatal to others, when somebody has it: the text names the directory and the pid.
StoreResult<UniqueFd> lock_directory(const std::string& directory);

}  // namespace pqd
