// Runs a program with the pieces under callgrind, such that its counts are the same on every machine and each
// time: an environment of its own, no random addresses, and neither of libcrypto and the C library chooses by
// the CPU.
#pragma once

#include "tests/ratchet/counts.h"

namespace pqd::ratchet {

// `program`: the ratchet; it is given `--pieces`. Leaves nothing behind. The error says what to do.
std::expected<std::vector<Count>, std::string> count_pieces(const std::string& program);

}  // namespace pqd::ratchet
