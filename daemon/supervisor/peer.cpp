#include "daemon/supervisor/peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace pqd {
namespace {

// A process may have 65,536 of them (NGROUPS_MAX); few have more than these.
constexpr size_t kGroupsUsual = 64;

std::optional<std::vector<gid_t>> groups_of(int socket) {
  std::vector<gid_t> groups(kGroupsUsual);
  for (;;) {
    auto bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const size_t had = bytes;
    const int status = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
    if (status != 0 && (errno != ERANGE || bytes <= had)) return std::nullopt;
    groups.resize(bytes / sizeof(gid_t));  // too few: the kernel says how many there are
    if (status == 0) return groups;
  }
}

}  // namespace

std::optional<Peer> peer_of(int socket, const AccessRules& rules) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return std::nullopt;
  Peer peer{credentials.uid, credentials.gid, static_cast<uint32_t>(credentials.pid), {}};
  if (rules.groups.empty()) return peer;
  auto groups = groups_of(socket);
  if (!groups) return std::nullopt;
  groups->push_back(credentials.gid);
  for (const auto& [gid, rule] : rules.groups)
    if (std::ranges::find(*groups, gid) != groups->end()) peer.groups.push_back(gid);
  return peer;
}

}  // namespace pqd
