// Rows of jobs as they were born, many in one value, without what stands in the store already: a row's record
// is a stretch of its commit's block, and the rest of it differs from the row before in a few bytes. Stored
// format, see daemon/store/README.md. Private to daemon/store.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/record_source.h"
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

// Of either kind: `piece` is the piece of a block that the head names, or nothing. Nothing when they do not
// belong together.
std::optional<LaidRows> lay_rows(const PackHead& head, ByteView packed, ByteView piece);
// The records alone, of all its rows, whether or not they count, behind what is in `read`; false: the same.
bool lay_records(JobNo first, const PackHead& head, ByteView packed, ByteView piece, RecordsRead& read);

}  // namespace pqd
