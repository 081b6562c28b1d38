// Where the engine's code is: beside the program, or in ../lib/pqd of it. Nothing else decides it, so that no
// environment can slip another one in.
#pragma once

#include <expected>
#include <string>

#include "daemon/supervisor/start_failure.h"

namespace pqd {

std::expected<std::string, StartFailure> find_engine_library();

}  // namespace pqd
