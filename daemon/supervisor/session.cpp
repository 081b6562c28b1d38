#include "daemon/supervisor/session.h"

#include <openssl/evp.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>

namespace pqd {

std::string Session::words() const {
  std::string text = fmt::format("pid {} of uid {}", peer.pid, peer.uid);
  const std::string_view name(hello.client_name.data());
  if (!name.empty()) text += fmt::format(" ({})", name);
  return number == 0 ? text : fmt::format("session {}, {}", number, text);
}

SessionGrant grant_of(const Session& session, bool inherited) {
  SessionGrant grant;
  grant.session = session.number;
  grant.uid = session.peer.uid;
  grant.gid = session.peer.gid;
  grant.pid = session.peer.pid;
  grant.group_count = static_cast<uint32_t>(std::min(session.peer.groups.size(), std::size(grant.groups)));
  std::copy_n(session.peer.groups.begin(), grant.group_count, grant.groups);
  grant.partition = session.partition;
  grant.tag = session.tag;
  grant.sizes = session.hello.sizes;
  if (inherited) {
    grant.down_base = reinterpret_cast<uint64_t>(session.files.mapping.base());
    grant.up_fd = session.files.up.get();
    grant.down_fd = session.files.down.get();
    grant.client_doorbell_fd = session.files.client_doorbell.get();
    grant.engine_doorbell_fd = session.files.engine_doorbell.get();
  }
  grant.secret_hash = session.secret_hash;
  grant.resume_session = session.hello.resume_session;
  if (grant.resume_session != 0) grant.resume_hash = hash_secret(session.hello.resume_secret);
  grant.deliveries_seen = session.hello.deliveries_seen;
  std::copy(session.hello.client_name.begin(), session.hello.client_name.end(), grant.client_name);
  return grant;
}

SessionSecret hash_secret(const SessionSecret& secret) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> full{};
  if (EVP_Digest(secret.data(), secret.size(), full.data(), nullptr, EVP_sha256(), nullptr) != 1)
    std::abort();
  SessionSecret half;
  std::copy_n(full.begin(), half.size(), half.begin());
  return half;
}

}  // namespace pqd
