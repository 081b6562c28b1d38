// What supervisor and engine say to each other. The engine is forked from the supervisor without exec,
// because a sealed Down can be mapped writable only by inheriting the mapping: what exists at the fork is
// handed over in EngineArgs, what comes later goes over a SOCK_SEQPACKET pair, with file descriptors where
// the message says so. Plain structs only: the engine's library may be newer than the supervisor that loads
// it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/limits.h"
#include "shm/handshake.h"

namespace pqd {

inline constexpr uint32_t kEngineLinkVersion = 4;
inline constexpr char kEngineEntry[] = "pqd_engine_main";

// One session, as the supervisor made it. The engine maps Up (read-only) from its descriptor. Down:
// `down_base` is the supervisor's writable mapping when the engine inherits it; 0 = map it writable from the
// descriptor now, it is sealed after SessionReady.
struct SessionGrant {
  uint64_t session = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t pid = 0;
  uint32_t partition = 0;  // whose workers serve it, for its whole life
  uint32_t tag = 0;
  SegmentSizes sizes;
  uint64_t down_base = 0;
  int32_t up_fd = -1;
  int32_t down_fd = -1;
  int32_t client_doorbell_fd = -1;  // the client rings, the engine sleeps on it
  int32_t engine_doorbell_fd = -1;  // the engine's end of ClientBellEnds: the engine rings
  SessionSecret secret_hash{};      // first 16 bytes of the SHA-256 of the session's secret
  uint64_t resume_session = 0;      // the client says that it was this session
  SessionSecret resume_hash{};      // of the secret it gave as proof
  uint64_t deliveries_seen = 0;
  char client_name[32] = {};
  uint32_t group_count = 0;  // of the client's groups, those that the configuration gives roles to
  uint32_t groups[limits::kAccessGroupsMax] = {};

  std::span<const uint32_t> named_groups() const {
    return std::span(groups).first(std::min<size_t>(group_count, std::size(groups)));
  }
};
static_assert(std::is_trivially_copyable_v<SessionGrant>);

struct EngineArgs {
  uint32_t version = kEngineLinkVersion;
  int32_t link_fd = -1;
  uint32_t partitions = 1;
  const uint64_t* wake_bases = nullptr;  // writable mappings of the wake pages, a partition each
  // Sessions below were given by an earlier supervisor: their clients may come back.
  uint64_t first_session = 0;
  const char* config_toml = nullptr;  // canonical, as render_config() gives it
  const SessionGrant* sessions = nullptr;
  uint64_t session_count = 0;
};

// The engine's entry point, found by dlsym(kEngineEntry). Runs until stopped; returns the process's exit
// status.
using EngineMain = int (*)(const EngineArgs*);

enum class LinkKind : uint32_t {
  // supervisor -> engine
  kSessionOpened = 1,  // `grant`, with 4 descriptors: up, down, client_doorbell, engine_doorbell
  kSessionClosed = 2,  // `session` of the partition `flag`: its socket closed, the client is gone
  kStop = 3,           // finish what is in the rings, commit, checkpoint, exit 0
  // engine -> supervisor
  kReady = 16,         // recovery is over, sessions are served
  kSessionReady = 17,  // `session` is mapped; `flag` 1 = it took over the session it asked to resume
  kSessionFault = 18,  // close `session`; `flag` is a SessionFault
  kFatal = 19,         // `text`: the engine ends and a restart will not help (damaged or foreign store, ...)
};

// Why the engine has no more to do with a session whose client is still connected.
enum class SessionFault : uint32_t {
  kBrokeRules = 0,  // of the rings
  kUnusable = 1,    // it cannot be mapped, the engine's log says why
  kTakenOver = 2,   // its client came back under another session
};

struct LinkMessage {
  LinkKind kind = LinkKind::kStop;
  uint32_t flag = 0;
  uint64_t session = 0;
  SessionGrant grant;
  char text[240] = {};
};
static_assert(std::is_trivially_copyable_v<LinkMessage>);

// Exit statuses of the engine's process, beside 0 for "stopped as asked".
inline constexpr int kEngineExitRestart = 70;  // a storage or internal error: a fresh engine recovers
inline constexpr int kEngineExitLater =
    75;  // no room on the disk: a restart helps once somebody has made some
inline constexpr int kEngineExitHalt = 78;  // a restart will not help, the reason was sent as kFatal

}  // namespace pqd
