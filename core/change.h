// One change of a job while it is on its way to those who watch: numbers where the told event has names.
// Plain value.
#pragma once

#include "core/job_event.h"

namespace pqd {

struct Change {
  uint64_t seq = 0;     // 1, 2, 3 ... since the engine's start
  uint64_t commit = 0;  // not told before this one is as durable as it asked for
  JobId id;
  TimeNs when_ns = 0;
  SessionNo holder = 0;  // who has the job in hand, or had until now; 0 = nobody
  uint32_t owner_uid = 0;
  QueueNo queue = 0;
  TypeNo type = 0;
  uint16_t attempt = 0;
  ChangeKind kind = ChangeKind::kGap;
  JobState state = JobState::kPending;  // after it
  Reason reason = Reason::kNone;
  uint8_t progress = 0;
};
static_assert(sizeof(Change) == 72);

}  // namespace pqd
