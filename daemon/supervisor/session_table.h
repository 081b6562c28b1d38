// All connections of this supervisor, by connection and by session number. Owns them. One thread; a Session&
// is valid until it is removed.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "daemon/supervisor/session.h"

namespace pqd {

class SessionTable {
 public:
  Session& add(UniqueFd socket, const Peer& peer, bool stranger);
  void remove(ConnectionId id);
  // Null when there is none (any more).
  Session* find(ConnectionId id);
  Session* find_number(uint64_t number);

  // Gives the session, whose partition is known, its number and files; it is counted with those that have
  // some from now on.
  void equip(Session& session, uint64_t number, SessionFiles files);

  // At the end: none of them is closed before the process is.
  void release_sockets();

  // In the order of arrival.
  std::vector<ConnectionId> in_state(SessionState state) const;
  size_t size() const { return sessions_.size(); }
  size_t count(SessionState state) const { return in_state(state).size(); }
  // Those in kGreeting, strangers or the others.
  size_t greetings(bool strangers) const;
  // That user's, in any state.
  size_t count_of_user(uint32_t uid) const;
  // Of the files of all of them, and of that user's.
  uint64_t memory_bytes() const { return memory_bytes_; }
  uint64_t memory_bytes_of_user(uint32_t uid) const;

  // Those with files, for an engine that is about to be forked.
  std::vector<SessionGrant> grants() const;
  void set_engine_state(EngineState state);

 private:
  std::map<ConnectionId, Session> sessions_;
  std::unordered_map<uint64_t, ConnectionId> by_number_;
  ConnectionId last_id_ = 0;
  uint64_t memory_bytes_ = 0;
};

}  // namespace pqd
