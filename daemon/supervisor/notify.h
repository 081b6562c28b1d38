// Tells systemd how we are. Without a service manager, nothing. One thread.
#pragma once

#include <cstdint>

#include "daemon/supervisor/notify_socket.h"

namespace pqd {

class Notify {
 public:
  // Reads WATCHDOG_USEC and WATCHDOG_PID. `socket` outlives it.
  explicit Notify(NotifySocket& socket);

  void ready() { socket_.send("READY=1\nSTATUS=serving"); }
  void restarting_engine() { socket_.send("STATUS=the engine died, the next one recovers"); }
  void serving() { socket_.send("STATUS=serving"); }
  void stopping() { socket_.send("STOPPING=1"); }
  // What is still to be said is a sign of life as well.
  void alive() {
    if (socket_.idle()) socket_.send("WATCHDOG=1");
  }

  // How often alive() has to be called, with room to spare; 0 = nobody asks.
  int64_t watchdog_interval_ns() const { return watchdog_interval_ns_; }

 private:
  NotifySocket& socket_;
  int64_t watchdog_interval_ns_ = 0;
};

}  // namespace pqd
