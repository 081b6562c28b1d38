// One client's connection, from its arrival to its end. The states and who moves them are in README.md.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/engine_link.h"
#include "daemon/supervisor/peer.h"
#include "daemon/supervisor/session_files.h"
#include "shm/handshake.h"

namespace pqd {

enum class SessionState : uint8_t {
  kGreeting,  // its Hello is awaited
  kParked,    // its Hello was good, no engine serves at the moment
  kOpening,   // its files are made, the engine's kSessionReady is awaited
  kLive,      // it has its Welcome
};

// Of this supervisor's life: one more each time a client arrives.
using ConnectionId = uint64_t;

struct Session {
  ConnectionId id = 0;
  UniqueFd socket;
  WatchId watch = 0;
  TimerId hello_timer = 0;
  Peer peer;
  bool stranger = false;  // whom the rules of access give no role: it is served nothing but a refusal
  SessionState state = SessionState::kGreeting;
  Hello hello;

  // From kOpening on.
  uint64_t number = 0;
  uint32_t tag = 0;             // of the ids that it makes, see make_tag()
  uint32_t partition = 0;       // where it stays
  SessionSecret secret{};       // wiped once the client has it
  SessionSecret secret_hash{};  // what the engine gets
  SessionFiles files;

  bool has_files() const { return number != 0; }
  // For the log: who it is.
  std::string words() const;
};

// As the engine gets it. `inherited`: by fork, with the mapping of Down; else by message, to be mapped.
SessionGrant grant_of(const Session& session, bool inherited);

// First half of the SHA-256.
SessionSecret hash_secret(const SessionSecret& secret);

}  // namespace pqd
