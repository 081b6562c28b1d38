// What a supervisor writes down about a session that it leaves with the service manager, so that the next one
// knows whose the other descriptors are: a small file that nobody can change any more. Host order, one host,
// gone with its boot. The next supervisor may be of another version: fields are appended, never renumbered,
// and who meets a card that is too short or has another magic leaves the session alone. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <expected>

#include "shm/handshake.h"
#include "shm/sys_error.h"

namespace pqd {

inline constexpr uint64_t kSessionCardMagic = 0x31'44'52'41'43'44'51'50;  // "PQDCARD1" read as bytes

struct SessionCard {
  uint64_t magic = kSessionCardMagic;
  uint64_t session = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t pid = 0;
  uint32_t features = 0;
  SegmentSizes sizes;
  SessionSecret secret_hash{};
  std::array<char, 32> client_name{};
};
static_assert(sizeof(SessionCard) == 112 && std::is_trivially_copyable_v<SessionCard>);

std::expected<UniqueFd, SysError> write_session_card(const SessionCard& card);
// EINVAL: a file of another kind, or with fields out of their ranges.
std::expected<SessionCard, SysError> read_session_card(int fd);

}  // namespace pqd
