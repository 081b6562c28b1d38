// The second half of reception: from a good Hello to the Welcome, which takes an engine.
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/partition.h"
#include "daemon/supervisor/open_files.h"
#include "daemon/supervisor/reception.h"
#include "shm/crash_point.h"
#include "shm/memfd.h"

namespace pqd {
namespace {

// Making a session's files takes a millisecond or so; in between the loop gets its turn.
constexpr int kOpenedPerTurn = 8;

}  // namespace

void Reception::engine_ready() {
  // Their grants were inherited at the fork. An engine that took one over says so before it is ready.
  for (const ConnectionId id : table_.in_state(SessionState::kOpening))
    if (Session* session = table_.find(id)) welcome(*session, false);
  open_some();
}

void Reception::open_some() {
  loop_.cancel_timer(open_timer_);
  open_timer_ = 0;
  int opened = 0;
  for (const ConnectionId id : table_.in_state(SessionState::kParked)) {
    if (!engine_.serving()) return;
    if (opened++ == kOpenedPerTurn) {
      open_timer_ = loop_.arm_timer(EventLoop::monotonic_ns(), [this] { open_some(); });
      return;
    }
    if (Session* session = table_.find(id)) open(*session);
  }
}

void Reception::open(Session& session) {
  // Again: others may have been opened while it was parked.
  if (const auto no = too_large(session.hello.sizes, session.peer.uid)) return refuse(session, *no);
  if (const auto equipped = equip(session); !equipped) return refuse(session, equipped.error());
  session.state = SessionState::kOpening;
  PQD_CRASH_POINT("session-equipped");
  engine_.open_session(grant_of(session, false), session.files.for_engine());
  PQD_CRASH_POINT("session-granted");
}

std::expected<void, Reception::No> Reception::equip(Session& session) {
  const auto number = counter_.next();
  if (!number) {
    const bool full = number.error().number == ENOSPC || number.error().number == EDQUOT;
    return std::unexpected(No{full ? Error::kNoSpace : Error::kUnavailable,
                              fmt::format("pqd cannot reserve session numbers ({}: {})", number.error().call,
                                          std::strerror(number.error().number))});
  }
  auto files = create_session_files(session.hello.sizes);
  const auto few = [](int fd) { return leaves_few(fd, kFilesKept + kFilesForRefusals); };
  const bool none_left = files ? std::ranges::any_of(files->for_engine(), few) || few(files->client_end.get())
                               : files.error().number == EMFILE;
  if (none_left) return std::unexpected(No{Error::kUnavailable, no_open_files_text()});
  if (!files)
    return std::unexpected(
        No{Error::kUnavailable, fmt::format("pqd cannot make the session's memory ({}: {})",
                                            files.error().call, std::strerror(files.error().number))});
  if (::getrandom(session.secret.data(), session.secret.size(), 0) !=
      static_cast<ssize_t>(session.secret.size()))
    return std::unexpected(No{Error::kUnavailable, "the kernel has no random bytes yet: try again"});
  session.secret_hash = hash_secret(session.secret);
  session.tag = make_tag(*number, static_cast<PartitionNo>(session.partition), options_.partitions);
  table_.equip(session, *number, std::move(*files));
  session.files.mapping.describe(session.number, session.tag, session.hello.features & kFeatures,
                                 options_.max_payload_bytes);
  return {};
}

void Reception::session_ready(uint64_t number, bool resumed) {
  Session* session = table_.find_number(number);
  if (session != nullptr && session->state == SessionState::kOpening) welcome(*session, resumed);
}

void Reception::welcome(Session& session, bool resumed) {
  if (const auto sealed = seal_for_client_reading(session.files.down.get()); !sealed) {
    return refuse(session, {Error::kSystemError, fmt::format("pqd cannot seal the session's memory: {}",
                                                             std::strerror(sealed.error().number))});
  }
  Welcome welcome;
  welcome.features = session.hello.features & kFeatures;
  welcome.tag = session.tag;
  welcome.session = session.number;
  welcome.secret = session.secret;
  welcome.sizes = session.hello.sizes;
  welcome.max_payload_bytes = options_.max_payload_bytes;
  welcome.resumed = resumed ? 1 : 0;
  welcome.partitions = options_.partitions;
  welcome.partition = session.partition;
  const std::array<int, kSessionFdCount> fds{
      session.files.up.get(), session.files.down.get(), wake_fds_[session.partition],
      session.files.client_doorbell.get(), session.files.client_end.get()};
  // Before the client has it: who was welcomed is not lost by a death of ours.
  store_.keep(session);
  // The socket is empty: it takes this at once, or its client is gone.
  PQD_CRASH_POINT("session-before-welcome");
  const auto sent = send_message(session.socket.get(), wire_bytes(welcome), fds, WireTimeout::zero());
  PQD_CRASH_POINT("session-welcomed");
  ::explicit_bzero(session.secret.data(), session.secret.size());
  ::explicit_bzero(welcome.secret.data(), welcome.secret.size());
  session.files.client_end.reset();
  if (!sent) return drop(session);
  session.state = SessionState::kLive;
  spdlog::info("{} has begun", session.words());
}

}  // namespace pqd
