#include "daemon/supervisor/returned_session.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "daemon/supervisor/session_card.h"
#include "shm/memfd.h"
#include "shm/seqpacket.h"

namespace pqd {
namespace {

using Checked = std::expected<void, std::string>;

std::unexpected<std::string> wrong(std::string_view part, const SysError& error) {
  return std::unexpected(
      fmt::format("its {} is not as it was left ({}: {})", part, error.call, std::strerror(error.number)));
}

int option(int socket, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

Checked check_socket(int socket, const SessionCard& card) {
  refuse_extras(socket);  // an earlier pqd may have left that open
  ucred peer{};
  socklen_t length = sizeof peer;
  if (option(socket, SO_DOMAIN) != AF_UNIX || option(socket, SO_TYPE) != SOCK_SEQPACKET ||
      option(socket, SO_ACCEPTCONN) != 0 ||
      ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
    return std::unexpected("its socket is none of ours");
  if (peer.uid != card.uid || static_cast<uint32_t>(peer.pid) != card.pid)
    return std::unexpected("its socket belongs to somebody else");
  char byte = 0;
  const ssize_t waiting = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  // It may have gone on under another session already: what it left in its lanes was sent again there.
  if (waiting == 0) return std::unexpected("its client has gone meanwhile");
  if (waiting > 0) return std::unexpected("its client spoke after its hello");
  return {};
}

const char kNoDoorbell[] = "a doorbell of it is none";

// Any read from another kind of file might do harm.
Checked check_client_doorbell(int fd) {
  std::array<char, 64> target{};
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  const bool event =
      length > 0 && std::string_view(target.data(), static_cast<size_t>(length)) == "anon_inode:[eventfd]";
  if (event && (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) return {};
  return std::unexpected(kNoDoorbell);
}

// The engine's end as make_client_bell() makes it: an end of its own, to which nothing can be sent. An
// eventfd, as earlier versions left, could be made to block by its client.
Checked check_engine_doorbell(int fd) {
  char byte = 0;
  if (option(fd, SO_DOMAIN) == AF_UNIX && option(fd, SO_TYPE) == SOCK_STREAM &&
      option(fd, SO_ACCEPTCONN) == 0 && ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
    return {};
  return std::unexpected(kNoDoorbell);
}

// The engine that wrote the earlier one is dead, so that what is copied stands still.
std::expected<UniqueFd, SysError> copy_down(int earlier, const SegmentSizes& sizes) {
  const uint64_t bytes = down_layout(sizes).file_bytes();
  auto down = create_memfd("pqd-down", bytes);
  if (!down) return down;
  if (auto copied = copy_memfd(earlier, down->get(), bytes); !copied) return std::unexpected(copied.error());
  return down;
}

}  // namespace

std::expected<Session, std::string> take_back(uint64_t number, SessionParts& parts) {
  const auto part = [&parts](SessionPart which) -> UniqueFd& { return parts[static_cast<size_t>(which)]; };
  const auto card = read_session_card(part(SessionPart::kCard).get());
  if (!card) return wrong("card", card.error());
  if (card->session != number) return std::unexpected("its card is another session's");
  if (auto checked = check_socket(part(SessionPart::kSocket).get(), *card); !checked)
    return std::unexpected(checked.error());
  if (auto checked = check_memfd(part(SessionPart::kUp).get(), up_layout(card->sizes).file_bytes(),
                                 Sealed::kForClientWriting);
      !checked)
    return wrong("Up", checked.error());
  const int earlier = part(SessionPart::kDown).get();
  if (auto checked = check_memfd(earlier, down_layout(card->sizes).file_bytes(), Sealed::kForClientReading);
      !checked)
    return wrong("Down", checked.error());
  if (auto checked = check_client_doorbell(part(SessionPart::kClientDoorbell).get()); !checked)
    return std::unexpected(checked.error());
  if (auto checked = check_engine_doorbell(part(SessionPart::kEngineDoorbell).get()); !checked)
    return std::unexpected(checked.error());
  auto down = copy_down(earlier, card->sizes);
  if (!down) return wrong("Down", down.error());
  auto mapping = DownSegment::map(down->get(), card->sizes, Access::kReadWrite, OnFork::kInherit);
  if (!mapping) return wrong("Down", mapping.error());
  if (mapping->header().magic != kMagic || mapping->header().session != number ||
      mapping->header().sizes != card->sizes)
    return std::unexpected("its Down is another session's");
  // relaxed: a hint to clients, no data hangs on it.
  mapping->header().engine_state.store(static_cast<uint32_t>(EngineState::kStarting),
                                       std::memory_order_relaxed);
  if (auto sealed = seal_for_client_reading(down->get()); !sealed) return wrong("Down", sealed.error());
  Session session;
  session.number = number;
  session.tag = mapping->header().tag;
  session.peer = {card->uid, card->gid, card->pid, {}};
  session.hello.features = card->features;
  session.hello.sizes = card->sizes;
  session.hello.client_name = card->client_name;
  session.secret_hash = card->secret_hash;
  session.socket = std::move(part(SessionPart::kSocket));
  session.files = {.up = std::move(part(SessionPart::kUp)),
                   .down = std::move(*down),
                   .client_doorbell = std::move(part(SessionPart::kClientDoorbell)),
                   .engine_doorbell = std::move(part(SessionPart::kEngineDoorbell)),
                   .mapping = std::move(*mapping),
                   .client_end = {}};
  return session;
}

}  // namespace pqd
