// Who is at the other end of a connection: the kernel's word, as it stood when the client connected. One
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/access.h"

namespace pqd {

struct Peer {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t pid = 0;
  std::vector<uint32_t> groups;  // its own and all others, so far as the rules name them; growing
};

// Nothing: the kernel will not say, or there is nobody any more.
std::optional<Peer> peer_of(int socket, const AccessRules& rules);

}  // namespace pqd
