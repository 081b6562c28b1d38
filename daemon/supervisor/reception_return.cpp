// What becomes of an earlier supervisor's sessions here.
#include <spdlog/spdlog.h>

#include "core/partition.h"
#include "daemon/supervisor/open_files.h"
#include "daemon/supervisor/reception.h"
#include "shm/crash_point.h"
#include "shm/sizes.h"

namespace pqd {

std::expected<void, std::string> Reception::take_back(Session& returned) {
  // Its groups by the rules as they are now.
  const auto peer = peer_of(returned.socket.get(), options_.access);
  if (!peer || !Rights(options_.access, peer->uid, peer->groups).any())
    return std::unexpected(fmt::format("uid {} may not use this pqd any more", returned.peer.uid));
  if (leaves_few(returned.files.down.get(), kFilesKept)) return std::unexpected(no_open_files_text());
  if (returned.hello.sizes.deliveries_bytes < deliveries_bytes_for(options_.delivered_payload_bytes))
    return std::unexpected("its rings are too small for max_payload_bytes as it is now");
  if (table_.size() >= options_.sessions_max) return std::unexpected("all sessions_max are taken");
  if (!options_.access.is_master(peer->uid) && table_.count_of_user(peer->uid) >= options_.user_sessions_max)
    return std::unexpected(fmt::format("uid {} has all of its sessions", peer->uid));
  // Its Down says it, which nobody but a supervisor has written.
  const uint32_t partition = partition_of_tag(returned.tag, options_.partitions);
  if (partition >= options_.partitions)
    return std::unexpected(fmt::format("this pqd has no partition {} any more", partition));
  if (const auto no = too_large(returned.hello.sizes, peer->uid)) return std::unexpected(no->text);
  Session& session = table_.add(std::move(returned.socket), *peer, false);
  session.hello = returned.hello;
  session.secret_hash = returned.secret_hash;
  session.tag = returned.tag;
  session.partition = partition;
  session.state = SessionState::kLive;
  table_.equip(session, returned.number, std::move(returned.files));
  store_.keep_new_down(session);
  watch(session);
  return {};
}

void Reception::renew_returned() {
  for (const ConnectionId id : table_.in_state(SessionState::kLive)) {
    Session* session = table_.find(id);
    const std::array<int, kRenewalFdCount> fds{session->files.down.get(), wake_fds_[session->partition]};
    // The client has nothing else to read there: this is taken at once, or nobody is there.
    const auto sent =
        send_message(session->socket.get(), Renewal{.session = session->number}, fds, WireTimeout::zero());
    PQD_CRASH_POINT("kept-session-renewed");
    if (!sent) drop(*session);
  }
}

void Reception::end_all() {
  for (const ConnectionId id : table_.in_state(SessionState::kLive)) drop(*table_.find(id));
}

}  // namespace pqd
