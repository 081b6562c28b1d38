// The signals that the daemon listens to, as events of its loop: SIGTERM, SIGINT, SIGHUP are blocked and read
// from a signalfd; SIGPIPE is ignored. One for a process, made before any thread or child.
#pragma once

#include <expected>
#include <functional>

#include "daemon/loop/event_loop.h"
#include "shm/sys_error.h"
#include "shm/unique_fd.h"

namespace pqd {

class SignalWatch {
 public:
  using Handler = std::function<void(int signal)>;

  static std::expected<SignalWatch, SysError> create();
  // The child of a fork takes SIGTERM, SIGINT, SIGHUP for noise: its parent has the say. REQUIRES: in the
  // child.
  static void leave_to_parent();

  void listen(EventLoop& loop, Handler handler);

 private:
  explicit SignalWatch(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace pqd
