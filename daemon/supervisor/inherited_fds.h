// What the service manager hands to a start: the listener and the sessions that an earlier supervisor left in
// its fd store, or a listener of its own (a .socket unit). Sorted by name; whether a part is what its name
// says is looked at by who uses it. One thread.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "daemon/supervisor/fd_store.h"
#include "shm/unique_fd.h"

namespace pqd {

struct NamedFd {
  std::string name;
  UniqueFd fd;
};

// All parts of one session, by SessionPart.
using SessionParts = std::array<UniqueFd, kSessionPartCount>;

struct InheritedFds {
  UniqueFd listener;
  bool listener_is_kept = false;  // in the fd store; else it is the service manager's own
  std::map<uint64_t, SessionParts> sessions;
  // Of nobody, of half a session, or there twice: closed, and to be taken out of the store.
  std::vector<std::string> strays;
};

// What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES speak of, close-on-exec; the variables are removed. Nothing
// when they are not for us.
std::vector<NamedFd> take_listen_fds();

InheritedFds sort_inherited(std::vector<NamedFd> all);

}  // namespace pqd
