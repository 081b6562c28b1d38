// What outlives the supervisor: the listener and the parts of each session, left with the service manager
// (systemd's fd store), which hands them to the next start. Each has a name of its own, by which it is found
// and taken back. Sends only; what comes back is read by inherited_fds.h. Belongs to the loop's thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "daemon/supervisor/notify_socket.h"
#include "daemon/supervisor/session.h"

namespace pqd {

enum class SessionPart : uint8_t { kSocket, kUp, kDown, kClientDoorbell, kEngineDoorbell, kCard };
inline constexpr size_t kSessionPartCount = 6;
inline constexpr std::string_view kListenerName = "listener";

// "session-17-down".
std::string part_name(uint64_t session, SessionPart part);

class FdStore {
 public:
  // Reads FDSTORE, which newer service managers set to the room that there is. `socket` outlives it.
  explicit FdStore(NotifySocket& socket);

  // Somebody may keep things: a restart is to be prepared for.
  bool usable() const { return usable_; }
  // False: there is no room for it, which the log says once.
  bool keep_listener(int fd);
  // It is there already.
  void count_listener() { room_ -= std::min<size_t>(room_, 1); }
  // A session with a sealed Down whose client knows renewals; others are left out.
  void keep(const Session& session);
  // One that was kept before, and has another Down now. The earlier one is never seen again, not even when
  // the new one finds no room.
  void keep_new_down(const Session& session);
  void forget(uint64_t session);
  // Of somebody whom we do not know (any more).
  void forget(const std::string& name);

 private:
  bool has_room(size_t count);
  void put(const std::string& name, int fd);

  NotifySocket& socket_;
  bool usable_ = false;
  size_t room_ = 0;
  bool told_ = false;
  std::set<uint64_t> kept_;
};

}  // namespace pqd
