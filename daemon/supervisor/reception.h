// Takes clients from their arrival to a working session, and to its end: greets, refuses, parks while no
// engine serves, opens, welcomes. Never waits for a client: each step is an event of the loop. Belongs to the
// loop's thread.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "daemon/log/log_limit.h"
#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/engine_link.h"
#include "daemon/supervisor/engine_process.h"
#include "daemon/supervisor/fd_store.h"
#include "daemon/supervisor/session_counter.h"
#include "daemon/supervisor/session_table.h"
#include "daemon/supervisor/socket_closer.h"
#include "daemon/supervisor/supervisor_options.h"

namespace pqd {

class Reception {
 public:
  // All of them outlive it. `wake_fds`: the wake pages of the partitions' workers, for their clients.
  Reception(EventLoop& loop, SessionTable& table, SessionCounter& counter, EngineProcess& engine,
            FdStore& store, std::vector<int> wake_fds, const SupervisorOptions& options);
  ~Reception();
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  void arrived(UniqueFd socket);
  // An engine serves: whoever waits for that goes on.
  void engine_ready();
  void session_ready(uint64_t number, bool resumed);
  void session_fault(uint64_t number, SessionFault why);
  // From now on there are no new sessions; those that live stay.
  void close_door();

  // reception_return.cpp
  // A session of an earlier supervisor. The error says why it cannot go on here; it is the caller's still.
  std::expected<void, std::string> take_back(Session& returned);
  // The socket of one that cannot.
  void let_go(UniqueFd socket) { closer_.close(std::move(socket)); }
  // Their clients are told, each gets the files of this supervisor. REQUIRES: no engine was started.
  void renew_returned();
  // Ends all, so that their clients know, whoever else keeps their sockets open.
  void end_all();

 private:
  struct No {
    Error code = Error::kUnavailable;
    std::string text;
  };

  // Makes a connection of it. False: it is turned away, and still the caller's.
  bool admit(UniqueFd& socket);
  void watch(Session& session);
  void readable(ConnectionId id);
  void greeted(Session& session, std::span<const std::byte> message);
  std::optional<No> objection(const Session& session) const;
  std::optional<No> too_large(const SegmentSizes& sizes, uint32_t uid) const;
  void open_some();
  void open(Session& session);
  std::expected<void, No> equip(Session& session);
  void welcome(Session& session, bool resumed);
  // `again`: whoever comes back at once is not refused.
  void refuse(Session& session, const No& no, bool again = false);
  void drop(Session& session);
  // A line about who does what they should not, unless there are too many such lines.
  void warn(const Session& session, std::string_view what);
  bool turn_away(const Session& session, std::string_view why);

  EventLoop& loop_;
  SessionTable& table_;
  SessionCounter& counter_;
  EngineProcess& engine_;
  FdStore& store_;
  std::vector<int> wake_fds_;
  const SupervisorOptions& options_;
  std::string served_;  // whom it serves, for those whom it does not
  bool door_open_ = true;
  TimerId open_timer_ = 0;
  LogLimit log_limit_;
  SocketCloser closer_;
};

}  // namespace pqd
