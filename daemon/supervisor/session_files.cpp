#include "daemon/supervisor/session_files.h"

#include <sys/eventfd.h>

#include "shm/doorbell.h"
#include "shm/memfd.h"

namespace pqd {
namespace {

std::expected<UniqueFd, SysError> make_client_doorbell() {
  UniqueFd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return std::unexpected(SysError::last("eventfd"));
  return fd;
}

}  // namespace

std::expected<SessionFiles, SysError> create_session_files(const SegmentSizes& sizes) {
  auto up = create_memfd("pqd-up", up_layout(sizes).file_bytes());
  if (!up) return std::unexpected(up.error());
  if (auto sealed = seal_for_client_writing(up->get()); !sealed) return std::unexpected(sealed.error());
  auto down = create_memfd("pqd-down", down_layout(sizes).file_bytes());
  if (!down) return std::unexpected(down.error());
  auto mapping = DownSegment::map(down->get(), sizes, Access::kReadWrite, OnFork::kInherit);
  if (!mapping) return std::unexpected(mapping.error());
  auto client_doorbell = make_client_doorbell();
  if (!client_doorbell) return std::unexpected(client_doorbell.error());
  auto engine_doorbell = make_client_bell();
  if (!engine_doorbell) return std::unexpected(engine_doorbell.error());
  return SessionFiles{.up = std::move(*up),
                      .down = std::move(*down),
                      .client_doorbell = std::move(*client_doorbell),
                      .engine_doorbell = std::move(engine_doorbell->engine),
                      .mapping = std::move(*mapping),
                      .client_end = std::move(engine_doorbell->client)};
}

}  // namespace pqd
