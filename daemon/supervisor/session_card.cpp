#include "daemon/supervisor/session_card.h"

#include <unistd.h>

#include <algorithm>

#include "shm/memfd.h"
#include "shm/sizes.h"

namespace pqd {

std::expected<UniqueFd, SysError> write_session_card(const SessionCard& card) {
  return create_final_memfd("pqd-card", std::as_bytes(std::span(&card, 1)));
}

std::expected<SessionCard, SysError> read_session_card(int fd) {
  SessionCard card;
  if (auto checked = check_memfd(fd, sizeof card, Sealed::kForNobodysWriting); !checked)
    return std::unexpected(checked.error());
  if (::pread(fd, &card, sizeof card, 0) != static_cast<ssize_t>(sizeof card))
    return std::unexpected(SysError::last("pread"));
  const bool ended = std::ranges::find(card.client_name, '\0') != card.client_name.end();
  if (card.magic != kSessionCardMagic || card.session == 0 || !ended || check_sizes(card.sizes))
    return std::unexpected(SysError{EINVAL, "session card"});
  return card;
}

}  // namespace pqd
