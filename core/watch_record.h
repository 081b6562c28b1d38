// The records that begin and end a watch over changes of jobs, in the control lane. Like a query they are not
// in the journal: the client says them again after a change of engine. Part of the ABI.
#pragma once

#include <expected>

#include "core/submit_record.h"

namespace pqd {

struct WatchHead {
  // kFlagResubmitted: the watch was there before, what happened meanwhile is not known to it.
  RecordHead head{sizeof(WatchHead), static_cast<uint8_t>(RecordKind::kWatch), 1, 0};
  uint64_t request = 0;             // chosen by the client, returned with each event
  JobId job;                        // only this job's changes, if not empty
  uint32_t owner_uid = 0xFFFFFFFF;  // only this user's; all ones = everybody's
  uint32_t last = 0;                // first so many of the latest changes that are remembered
  uint8_t states = 0;               // only changes that lead to one of these, a bit per JobState; 0 = all
  uint8_t follow = 1;               // 0 = end after those
  uint8_t queue_bytes = 0;
  uint8_t type_bytes = 0;
  uint8_t reserved[4] = {};
  // then: queue, type
};
static_assert(sizeof(WatchHead) == 48);
struct WatchView {
  WatchHead head;
  std::string_view queue;
  std::string_view type;
};

struct UnwatchRecord {
  RecordHead head{sizeof(UnwatchRecord), static_cast<uint8_t>(RecordKind::kUnwatch), 1, 0};
  uint64_t request = 0;
};
static_assert(sizeof(UnwatchRecord) == 16);

Bytes write_watch(WatchHead head, std::string_view queue, std::string_view type);
Bytes write_unwatch(uint64_t request);

// The views stay valid while `record` (private memory) does.
std::expected<WatchView, Error> read_watch(ByteView record);
std::expected<UnwatchRecord, Error> read_unwatch(ByteView record);

}  // namespace pqd
