// The socket at which clients arrive. Made only by who holds the lock of its path, so that a file that is
// there already is a dead daemon's. Its file goes with the object, and who waits there is handed on, unless
// somebody else keeps the socket open. Belongs to the loop's thread.
#pragma once

#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/start_failure.h"
#include "shm/unique_fd.h"

namespace pqd {

class Listener {
 public:
  using Arrival = std::function<void(UniqueFd socket)>;

  // `mode`: who may knock. `arrival` is called from the loop with each accepted socket (non-blocking,
  // close-on-exec).
  static std::expected<std::unique_ptr<Listener>, StartFailure> open(EventLoop& loop, const std::string& path,
                                                                     mode_t mode, Arrival arrival);
  // One that the service manager handed in. The error says why it is of no use; the socket is closed then.
  static std::expected<std::unique_ptr<Listener>, std::string> adopt(EventLoop& loop, const std::string& path,
                                                                     UniqueFd socket, Arrival arrival);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return socket_.get(); }
  // Whether the file stays when the object goes: clients that come meanwhile then wait in the socket's queue
  // for the next supervisor.
  void keep_file(bool keep) { keep_file_ = keep; }

 private:
  Listener(EventLoop& loop, std::string path, UniqueFd socket, Arrival arrival);
  void listen();
  // False: there is nobody, or errno says why not.
  bool accept_one();
  void accept_some();
  void rest();

  EventLoop& loop_;
  std::string path_;
  UniqueFd socket_;
  Arrival arrival_;
  WatchId watch_ = 0;
  TimerId rest_timer_ = 0;
  bool told_rest_ = false;  // since somebody could be accepted
  bool keep_file_ = false;
};

}  // namespace pqd
