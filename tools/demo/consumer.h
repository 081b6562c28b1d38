// A consumer process: takes jobs, hashes their files, completes them with the digest.
#pragma once

#include <string>
#include <string_view>

namespace pqd::demo {

// The result of a job whose file could not be read.
inline constexpr std::string_view kUnreadable = "unreadable";

// Works until descriptor 0 ends. Tells each settled job on descriptor 1. The exit status of the process; what
// went wrong is on stderr.
int run_consumer(const std::string& socket);

}  // namespace pqd::demo
