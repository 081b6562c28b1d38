// Reading what a command was pointed at: a file, or standard input.
#pragma once

#include "shm/unique_fd.h"
#include "tools/pqctl/complaint.h"

namespace pqd::ctl {

// "-" is standard input (a copy of the descriptor). 65: it cannot be opened.
Checked<UniqueFd> open_input(const std::string& name);
// All of it; more than `bytes_max` is refused with kPayloadTooLarge.
Checked<std::string> read_input(const std::string& name, size_t bytes_max);

}  // namespace pqd::ctl
