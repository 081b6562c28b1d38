#include "daemon/supervisor/session_table.h"

#include <algorithm>

#include "shm/crash_point.h"
#include "shm/sizes.h"

namespace pqd {

Session& SessionTable::add(UniqueFd socket, const Peer& peer, bool stranger) {
  Session& session = sessions_[++last_id_];
  session.id = last_id_;
  session.socket = std::move(socket);
  session.peer = peer;
  session.stranger = stranger;
  return session;
}

void SessionTable::remove(ConnectionId id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  if (found->second.has_files()) {
    by_number_.erase(found->second.number);
    memory_bytes_ -= session_bytes(found->second.hello.sizes);
  }
  PQD_CRASH_POINT("session-before-end");
  sessions_.erase(found);
  PQD_CRASH_POINT("session-ended");
}

Session* SessionTable::find(ConnectionId id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

Session* SessionTable::find_number(uint64_t number) {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : find(found->second);
}

void SessionTable::equip(Session& session, uint64_t number, SessionFiles files) {
  session.number = number;
  session.files = std::move(files);
  by_number_[number] = session.id;
  memory_bytes_ += session_bytes(session.hello.sizes);
}

void SessionTable::release_sockets() {
  for (auto& [id, session] : sessions_) [[maybe_unused]] const int left = session.socket.release();
}

std::vector<ConnectionId> SessionTable::in_state(SessionState state) const {
  std::vector<ConnectionId> ids;
  for (const auto& [id, session] : sessions_)
    if (session.state == state) ids.push_back(id);
  return ids;
}

size_t SessionTable::greetings(bool strangers) const {
  return static_cast<size_t>(std::ranges::count_if(sessions_, [strangers](const auto& entry) {
    return entry.second.state == SessionState::kGreeting && entry.second.stranger == strangers;
  }));
}

size_t SessionTable::count_of_user(uint32_t uid) const {
  return static_cast<size_t>(
      std::ranges::count_if(sessions_, [uid](const auto& entry) { return entry.second.peer.uid == uid; }));
}

uint64_t SessionTable::memory_bytes_of_user(uint32_t uid) const {
  uint64_t bytes = 0;
  for (const auto& [id, session] : sessions_)
    if (session.has_files() && session.peer.uid == uid) bytes += session_bytes(session.hello.sizes);
  return bytes;
}

std::vector<SessionGrant> SessionTable::grants() const {
  std::vector<SessionGrant> grants;
  for (const auto& [id, session] : sessions_)
    if (session.has_files()) grants.push_back(grant_of(session, true));
  return grants;
}

void SessionTable::set_engine_state(EngineState state) {
  // relaxed: a hint to clients, no data hangs on it.
  for (auto& [id, session] : sessions_)
    if (session.has_files())
      session.files.mapping.header().engine_state.store(static_cast<uint32_t>(state),
                                                        std::memory_order_relaxed);
}

}  // namespace pqd
