// The keys of the family `meta`.
#pragma once

#include <string_view>

namespace pqd {

inline constexpr std::string_view kEpochKey = "epoch";            // u32: the latest that was given out
inline constexpr std::string_view kSyncedKey = "synced";          // be64: the marker of the latest sync
inline constexpr std::string_view kCheckpointKey = "checkpoint";  // u64 covered, then the tables
inline constexpr std::string_view kIndexedKey = "done_index";  // no value: every finished job is in the index

}  // namespace pqd
