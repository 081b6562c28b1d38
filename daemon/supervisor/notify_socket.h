// Datagrams to the service manager, at the socket that NOTIFY_SOCKET names, some of them with a descriptor.
// They arrive in the order in which they were given. What its queue does not take at once waits here, so that
// nothing hangs on who watches us; what cannot be sent for another reason is dropped. Without a service
// manager everything is. Belongs to the loop's thread.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "daemon/loop/event_loop.h"
#include "shm/seqpacket.h"
#include "shm/unique_fd.h"

namespace pqd {

class NotifySocket {
 public:
  explicit NotifySocket(EventLoop& loop);
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // There is somebody to talk to.
  explicit operator bool() const { return static_cast<bool>(socket_); }
  // `fd` stays the caller's; -1 = none.
  void send(std::string_view text, int fd = -1);
  bool idle() const { return letters_.empty(); }
  // Waits until all was taken; false when it was not, or could not be sent.
  bool flush(WireTimeout timeout);

 private:
  struct Letter {
    std::string text;
    UniqueFd fd;
  };

  void send_some();

  EventLoop& loop_;
  UniqueFd socket_;
  std::deque<Letter> letters_;
  bool dropped_ = false;  // something, since the last flush()
  TimerId retry_timer_ = 0;
};

}  // namespace pqd
