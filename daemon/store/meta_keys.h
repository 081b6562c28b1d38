// The keys of the family `meta`.
#pragma once

#include <string_view>

namespace pqd {

inline constexpr std::string_view kEpochKey = "epoch";  // u32: the latest that was given out
// be64, by the first commit after a sync: what that has made durable. Nothing says so before a sync has ended: a
// power cut may leave the marker of one that did not.
inline constexpr std::string_view kSyncedKey = "synced";
inline constexpr std::string_view kCheckpointKey = "checkpoint";  // u64 covered, then the tables
inline constexpr std::string_view kIndexedKey = "done_index";     // no value: every finished job is in the index

}  // namespace pqd
