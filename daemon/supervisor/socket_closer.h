// Closes clients' sockets and never waits for it. Whoever closes a file as the last one may stand still: a
// TCP socket with SO_LINGER waits for a peer that does not read. A descriptor that was sent and not received
// is closed with the socket that it lies in, so that a client can choose what that does. A socket with such a
// message is therefore closed by the end of a process that is made for it: who ends does not linger, and if
// it should wait all the same, nobody waits for it. Belongs to the loop's thread.
#pragma once

#include <sys/types.h>

#include <map>
#include <vector>

#include "daemon/loop/event_loop.h"
#include "shm/unique_fd.h"

namespace pqd {

class SocketCloser {
 public:
  explicit SocketCloser(EventLoop& loop) : loop_(loop) {}
  // What is not closed yet, this process's end will close.
  ~SocketCloser();
  SocketCloser(const SocketCloser&) = delete;
  SocketCloser& operator=(const SocketCloser&) = delete;

  // Ends the connection too, whoever else holds the socket.
  void close(UniqueFd socket);

 private:
  void send_off();

  EventLoop& loop_;
  std::vector<UniqueFd> loaded_;       // with descriptors in them
  std::map<pid_t, WatchId> children_;  // that close others
};

}  // namespace pqd
