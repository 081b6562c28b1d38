// Opening an io_uring as the loop wants it: the best flags that the kernel has, and restricted to the
// operations that the loop uses. Internal to daemon/loop.
#pragma once

#include <liburing.h>

#include <expected>
#include <string>

namespace pqd {

struct OpenRing {
  io_uring ring;            // whoever takes it calls io_uring_queue_exit
  std::string description;  // "io_uring with ...", for the log
};

// Enabled for the calling thread: with SINGLE_ISSUER nobody else may use the ring. The error says which call
// refused, and what probably made it.
std::expected<OpenRing, std::string> open_ring(unsigned entries);

}  // namespace pqd
