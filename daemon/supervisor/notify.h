// Tells systemd how we are: datagrams to the socket that NOTIFY_SOCKET names. Without one, nothing. A message
// that cannot be sent is dropped: the daemon's service does not hang on who watches it. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shm/unique_fd.h"

namespace pqd {

class Notify {
 public:
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  static Notify from_environment();

  void ready() const { send("READY=1\nSTATUS=serving"); }
  void restarting_engine() const { send("STATUS=the engine died, the next one recovers"); }
  void serving() const { send("STATUS=serving"); }
  void stopping() const { send("STOPPING=1"); }
  void alive() const { send("WATCHDOG=1"); }

  // How often alive() has to be called, with room to spare; 0 = nobody asks.
  int64_t watchdog_interval_ns() const { return watchdog_interval_ns_; }

 private:
  void send(std::string_view text) const;

  UniqueFd socket_;
  std::string address_;  // as in sun_path, an abstract one begins with a zero
  int64_t watchdog_interval_ns_ = 0;
};

}  // namespace pqd
