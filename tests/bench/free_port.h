// For servers that have no Unix sockets.
#pragma once

#include <cstdint>

namespace pqd::bench {

// A port of the loopback that nobody listens at right now. 0: there is none.
uint16_t free_port();

}  // namespace pqd::bench
