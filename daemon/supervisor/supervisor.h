// The daemon's first process: owns the listener, the sessions with their files, and the engine. Single-
// threaded; opens no database and reads nothing of a client's but its Hello. One in a process.
#pragma once

#include <expected>
#include <memory>
#include <vector>

#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/engine_process.h"
#include "daemon/supervisor/fd_store.h"
#include "daemon/supervisor/inherited_fds.h"
#include "daemon/supervisor/listener.h"
#include "daemon/supervisor/notify.h"
#include "daemon/supervisor/reception.h"
#include "daemon/supervisor/session_counter.h"
#include "daemon/supervisor/session_table.h"
#include "daemon/supervisor/signal_watch.h"
#include "daemon/supervisor/start_failure.h"
#include "daemon/supervisor/supervisor_options.h"
#include "shm/segment.h"

namespace pqd {

class Supervisor {
 public:
  // Takes the locks and everything else that can fail; nothing is served before run().
  static std::expected<std::unique_ptr<Supervisor>, StartFailure> create(SupervisorOptions options);

  // Until SIGTERM or SIGINT has been obeyed or the engine has given up. Returns the exit status.
  int run();

 private:
  // The page of a worker's wake word.
  struct WakeFile {
    UniqueFd fd;
    WakeSegment mapping;
  };
  struct Parts {
    UniqueFd state_lock;
    UniqueFd socket_lock;
    UniqueFd engine_lock;
    SignalWatch signals;
    std::unique_ptr<EventLoop> loop;
    SessionCounter counter;
    std::vector<WakeFile> wakes;  // a partition each
  };

  Supervisor(SupervisorOptions options, Parts parts);
  EngineProcess::Hooks engine_hooks();
  std::vector<uint64_t> wake_bases() const;
  std::vector<int> wake_fds() const;

  // supervisor_create.cpp
  static std::expected<WakeFile, SysError> make_wake_file();
  static std::expected<Parts, StartFailure> make_parts(const SupervisorOptions& options);
  std::expected<void, StartFailure> listen(InheritedFds& inherited);
  void take_back_sessions(InheritedFds& inherited);

  void engine_ready();
  void engine_died();
  void engine_ended(EngineEnd how);
  void give_up();
  void signalled(int signal);
  void stop();
  void feed_watchdog();

  SupervisorOptions options_;
  Parts parts_;
  NotifySocket notify_socket_;
  Notify notify_;
  FdStore store_;
  SessionTable table_;
  EngineProcess engine_;
  Reception reception_;
  std::unique_ptr<Listener> listener_;
  bool was_ready_ = false;
  bool stopping_ = false;
  bool done_ = false;
  int exit_status_ = 0;
};

}  // namespace pqd
