// The keys of the family `meta`.
#pragma once

#include <string_view>

namespace pqd {

inline constexpr std::string_view kEpochKey = "epoch";  // u32: the latest that was given out
// be64, by each sync: the commit that the one before had made durable. Not its own: a power cut may leave the
// marker of a sync that did not end.
inline constexpr std::string_view kSyncedKey = "synced";
inline constexpr std::string_view kBeforeCheckpointKey = "before_checkpoint";  // be64: will be covered
inline constexpr std::string_view kCheckpointKey = "checkpoint";               // u64 covered, then the tables
inline constexpr std::string_view kIndexedKey = "done_index";  // no value: every finished job is in the index

}  // namespace pqd
