// Rows of live jobs on their way out of the store into a State: the facts apart, the records in one block, so
// that a block is made for some hundred jobs and not for each. A value; one thread may fill it, another one
// take it over.
#pragma once

#include "core/job_row.h"
#include "core/job_table.h"

namespace pqd {

struct RowBatch {
  // A block stays as long as one of its jobs does: far less than a commit's may hold.
  static constexpr size_t kBytes = 64 * 1024;

  struct Row {
    JobCore core;
    BlobRef record;
    std::unique_ptr<JobExtra> extra;  // nothing: it has none
  };

  std::vector<Row> rows;
  Bytes records;

  // A row that is too large for any batch is one by itself.
  bool has_room_for(ByteView row) const { return rows.empty() || records.size() + row.size() <= kBytes; }
  // False: the bytes are no row.
  bool add(ByteView row);
};

}  // namespace pqd
