// Finding the daemon's socket and connecting to it, with failures that say what to do.
#pragma once

#include "bindings/cpp/deadline.h"
#include "bindings/cpp/failure.h"
#include "shm/unique_fd.h"

namespace pqd {

// `wanted` if given, else PQD_SOCKET, else $XDG_RUNTIME_DIR/pqd/pqd.sock if something is there, else
// /run/pqd/pqd.sock.
std::string find_socket(const std::string& wanted);

// kUnavailable: nobody listens there; kUnauthorized: the path may not be used; kInvalidRequest: too long.
Result<UniqueFd> dial(const std::string& path, Deadline deadline);

// EMFILE, wherever on the way to a session it was met.
std::string no_descriptors_text(const std::string& path);

}  // namespace pqd
