// Small files of the state directory that are replaced whole: written beside, synced, renamed, the directory
// synced. Whatever dies, one of the two is there.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "shm/sys_error.h"

namespace pqd {

// `directory`/`name`, readable by us alone.
std::expected<void, SysError> replace_state_file(const std::string& directory, std::string_view name,
                                                 std::string_view bytes);

}  // namespace pqd
