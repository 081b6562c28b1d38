// Rows of jobs as they were born, many in one value, without what stands in the store already: a row's record
// is a stretch of its commit's block, and the rest of it differs from the row before in a few bytes. Stored
// format, see daemon/store/README.md. Private to daemon/store.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "daemon/store/row_pack.h"
#include "daemon/store/store_view.h"

namespace pqd {

// REQUIRES: their records stand within `piece`, in this order.
Bytes pack_births(std::span<const Birth> births, const BlockPiece& piece);

// Rows of a pack, whole, and where they stand.
struct LaidRows {
  Bytes bytes;
  std::vector<ByteView> rows;  // of `bytes`
};

// A pack as it was read. Who counts in it may change, whose rows it has never does.
struct LaidPack {
  JobNo first = 0;
  PackHead head;
  LaidRows laid;

  // Where the job's row is, whether or not it counts there; nothing when the pack has none.
  std::optional<size_t> place_of(JobNo job) const;
};

// Of either kind: `piece` is the piece of a block that the head names, or nothing. Nothing when they do not
// belong together.
std::optional<LaidRows> lay_rows(const PackHead& head, ByteView packed, ByteView piece);

}  // namespace pqd
