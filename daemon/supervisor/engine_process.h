// The engine as the supervisor sees it: a child that is started, spoken to, restarted when it dies, and
// stopped. Its states are in README.md. Belongs to the loop's thread, which must be the process's only one:
// the engine is forked without exec.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/engine_child.h"
#include "daemon/supervisor/engine_link.h"
#include "daemon/supervisor/engine_outbox.h"
#include "daemon/supervisor/restart_backoff.h"

namespace pqd {

// How the engine's last process ended.
enum class EngineEnd : uint8_t {
  kStopped,   // as asked, or killed because it did not
  kHalted,    // a restart would not help
  kTryLater,  // it never served, and says that a start may succeed once there is room
};

class EngineProcess {
 public:
  // Called from the loop.
  struct Hooks {
    std::function<std::vector<SessionGrant>()> grants;  // those with files, at this moment
    std::function<void()> ready;                        // an engine serves
    std::function<void()> died;                         // another one will be started
    std::function<void(uint64_t session, bool resumed)> session_ready;
    std::function<void(uint64_t session, SessionFault why)> session_fault;
    std::function<void(EngineEnd)> ended;  // there will be no other
  };

  EngineProcess(EventLoop& loop, EngineStart start, const BackoffLimits& limits, int64_t stop_timeout_ns,
                Hooks hooks);
  // Kills and reaps it, if it is still there.
  ~EngineProcess();
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  void start();
  bool serving() const { return state_ == State::kServing; }

  // REQUIRES: serving().
  void open_session(const SessionGrant& grant, const std::array<int, 4>& fds);
  void close_session(uint64_t session, uint32_t partition);

  // Asks it to finish; `ended` follows, at the latest after the stop timeout.
  void stop();
  void kill();

 private:
  enum class State : uint8_t { kWaiting, kStarting, kServing, kStopping, kEnded };

  void fork_child();
  void read_link();
  void handle(const LinkMessage& message);
  void link_closed();
  void link_broken(std::string_view why);
  void exited(int code, int status);
  void restart_later();
  void end(EngineEnd how);

  EventLoop& loop_;
  EngineStart start_;
  RestartBackoff backoff_;
  int64_t stop_timeout_ns_;
  Hooks hooks_;

  State state_ = State::kWaiting;
  int pid_ = -1;
  UniqueFd link_;
  EngineOutbox outbox_;
  WatchId link_watch_ = 0;
  WatchId child_watch_ = 0;
  TimerId timer_ = 0;  // of this state: to restart, or to kill
  int64_t serving_since_ns_ = 0;
  bool has_served_ = false;  // this one or one before it
  std::string fatal_text_;
};

}  // namespace pqd
