// Finished jobs, many in one value: RocksDB charges by the key. Who was completed or cancelled never changes
// again, so their packs do not either; they lie by the time in their ids:
//
//   window    whose ids are of the same kDoneWindowMs
//   run       those of a window that one checkpoint wrote: its packs are in order and do not overlap
//
// A run more than the commits tell of is possible: of a checkpoint that was not finished. What stands in it,
// stands in a later one with the same bytes, or by itself. Stored formats, see daemon/store/README.md.
// Private to daemon/store.
#pragma once

#include <compare>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/job_id.h"

namespace pqd {

inline constexpr uint64_t kDoneWindowMs = 128;
constexpr uint64_t done_window(const JobId& id) { return id.unix_ms() / kDoneWindowMs; }

struct DoneRun {
  uint64_t window = 0;
  uint64_t covered = 0;  // commits, by its checkpoint
  uint32_t epoch = 0;    // of the engine that wrote it
  friend auto operator<=>(const DoneRun&, const DoneRun&) = default;
};

struct DonePackKey {
  static constexpr size_t kBytes = 8 + 8 + 4 + 16;

  DoneRun run;
  JobId first;
  friend auto operator<=>(const DonePackKey&, const DonePackKey&) = default;
};
// Behind `prefix`: nothing for rows, a group for ids of the index.
std::string write_pack_key(ByteView prefix, const DonePackKey& key);
// Nothing when these are not the bytes of a key behind a prefix of this size.
std::optional<DonePackKey> read_pack_key(ByteView bytes, size_t prefix_bytes);

// Ids in growing order, and the row of each where it is a pack of rows.
struct DonePack {
  static constexpr size_t kJobsMax = 64;

  std::vector<JobId> ids;
  std::vector<ByteView> rows;
};
// REQUIRES: 1..kJobsMax, in growing order.
Bytes pack_done(std::span<const std::pair<JobId, ByteView>> jobs);
Bytes pack_done_ids(std::span<const JobId> ids);
// Nothing when the bytes are no such pack, or its ids are not in growing order.
std::optional<DonePack> unpack_done(ByteView bytes);
std::optional<DonePack> unpack_done_ids(ByteView bytes);

}  // namespace pqd
