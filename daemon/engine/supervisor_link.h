// The engine's end of the link to its supervisor. One thread listens; any may speak, a message is one
// datagram.
#pragma once

#include <functional>
#include <string_view>

#include "core/job.h"
#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/engine_link.h"

namespace pqd {

class SupervisorLink {
 public:
  struct Handlers {
    // With the descriptors of this process in the grant; they are the handler's.
    std::function<void(const SessionGrant&)> opened;
    std::function<void(SessionNo, uint32_t partition)> closed;
    std::function<void()> stop;
  };

  explicit SupervisorLink(int fd) : fd_(fd) {}

  // From now on what comes is handed to the handlers, inside the loop's run().
  void listen(EventLoop& loop, Handlers handlers);

  void ready();
  void session_ready(SessionNo session, bool resumed);
  void session_fault(SessionNo session, SessionFault why);
  // The reason why a restart will not help.
  void fatal(std::string_view text);

 private:
  void read();
  void send(const LinkMessage& message);

  UniqueFd fd_;
  Handlers handlers_;
};

}  // namespace pqd
