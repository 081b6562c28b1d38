// What a session is made of, apart from its socket: two memory files, two doorbells, and the supervisor's
// writable mapping of Down, through which every later engine can write to a file that is long sealed.
#pragma once

#include <array>
#include <expected>

#include "shm/segment.h"
#include "shm/sys_error.h"
#include "shm/unique_fd.h"

namespace pqd {

struct SessionFiles {
  UniqueFd up;    // sealed for client writing from the beginning
  UniqueFd down;  // sealed for client reading once the first engine has mapped it
  UniqueFd client_doorbell;
  UniqueFd engine_doorbell;  // the engine's end
  DownSegment mapping;
  UniqueFd client_end;  // of engine_doorbell; the client's alone once it has its Welcome

  // In the order of LinkKind::kSessionOpened.
  std::array<int, 4> for_engine() const {
    return {up.get(), down.get(), client_doorbell.get(), engine_doorbell.get()};
  }
};

// REQUIRES: check_sizes(sizes) has nothing to say.
std::expected<SessionFiles, SysError> create_session_files(const SegmentSizes& sizes);

}  // namespace pqd
