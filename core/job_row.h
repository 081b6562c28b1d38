// A job as the store keeps it: the flat facts, then what is bulky or rare. Version byte first; an unknown
// version is refused. Finished jobs drop the record's payload, dead letters keep it.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "core/info.h"

namespace pqd {

struct JobRow {
  JobCore core;
  Bytes record;  // the submit record, with the payload cut off where the job no longer needs it
  bool payload_dropped = false;
  Bytes result;
  std::string note;
  std::vector<AttemptInfo> history;
  std::vector<ReviewInfo> reviews;  // of all lives
};

// The same where it was read; the views last as long as the bytes.
struct RowView {
  JobCore core;
  ByteView record;
  bool payload_dropped = false;
  ByteView result;
  std::string_view note;
  std::vector<AttemptInfo> history;
  std::vector<ReviewInfo> reviews;
};

Bytes encode_row(const JobRow& row);
// The same in memory that is there already: `bytes` becomes the row.
void encode_row(const JobRow& row, Bytes& bytes);
std::expected<RowView, Error> read_row(ByteView bytes);
std::expected<JobRow, Error> decode_row(ByteView bytes);
// The flat facts alone.
std::expected<JobCore, Error> decode_row_core(ByteView bytes);

// A row that was encoded without a record, and now has this one. False, and nothing is appended, when it is
// no such row.
bool append_row(ByteView without_record, ByteView record, Bytes& out);

// `row.record` becomes `record` without its payload (payload_bytes in the facts stays what it was); once.
// `record` may be what stands there.
void drop_payload(JobRow& row, ByteView record);
inline void drop_payload(JobRow& row) { drop_payload(row, row.record); }

// What a query answers about this job; names come from the caller's tables.
JobInfo job_info(const JobRow& row, std::string_view queue, std::string_view type, bool with_payload);

}  // namespace pqd
