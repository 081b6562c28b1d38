// What a question about schedules is answered with, as a value and as the bytes of an answer's body. New
// fields are appended, as in info.h.
#pragma once

#include <expected>

#include "core/info.h"
#include "core/schedules.h"

namespace pqd {

struct ScheduleInfo {
  std::string name;
  std::string spec;
  std::string zone;
  std::string queue;
  std::string type;
  uint32_t owner_uid = 0;
  TimeNs set_ns = 0;
  TimeNs next_ns = 0;     // when it is due; when `waiting`, since when; 0 = never again
  TimeNs last_ns = 0;     // when its last run was due; 0 = none yet
  JobId last_id;          // of that run's job; empty = it made none
  uint8_t last_code = 0;  // Error: why it made none
  bool waiting = false;   // due, and its job not made yet: no room in the queue, a drain, no room on the disk
  uint32_t payload_bytes = 0;
};

Bytes encode(const ScheduleInfo& info);
std::expected<ScheduleInfo, Error> decode_schedule_info(ByteView body);

class Tables;
// `run_tag`: of the ids of its runs, as in run_id().
ScheduleInfo schedule_info(const Tables& tables, const Schedule& schedule,
                           uint32_t run_tag = JobId::kScheduleTag);

}  // namespace pqd
