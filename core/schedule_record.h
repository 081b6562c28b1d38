// The records of the control lane about schedules. Part of the ABI.
#pragma once

#include <expected>
#include <string_view>

#include "core/submit_record.h"

namespace pqd {

// kCronSet: a new schedule, or with `replace` one in the place of another of its name.
struct CronSetHead {
  RecordHead head{.size_bytes = 0, .kind = static_cast<uint8_t>(RecordKind::kCronSet)};
  uint32_t job_bytes = 0;
  uint16_t spec_bytes = 0;
  uint8_t name_bytes = 0;
  uint8_t zone_bytes = 0;
  uint8_t replace = 0;  // 0 or 1
  uint8_t reserved[7] = {};
  // then: name, spec, zone, and the submit record of the jobs that it makes, whose id does not count
};
static_assert(sizeof(CronSetHead) == 24);

struct CronSetView {
  RecordHead head;
  bool replace = false;
  std::string_view name;
  std::string_view spec;
  std::string_view zone;
  ByteView job;
};

struct CronRemoveHead {
  RecordHead head{.size_bytes = 0, .kind = static_cast<uint8_t>(RecordKind::kCronRemove)};
  uint8_t name_bytes = 0;
  uint8_t reserved[7] = {};
  // then: name
};
static_assert(sizeof(CronRemoveHead) == 16);

struct CronRemoveView {
  RecordHead head;
  std::string_view name;
};

// 1..64 bytes of [A-Za-z0-9_+/-], no slash at an end: a path below the directory of zones.
bool valid_zone_name(std::string_view name);

// What is wrong with the job of a schedule: what any submit may not have, or what makes no sense here (a time
// of its own, an idempotency key, durability `memory`). `what` is a fixed sentence for people.
SubmitFault check_schedule_job(const SubmitView& job, size_t payload_bytes_max);

// REQUIRES: `set.job` is a submit record; `set.head` is ignored.
Bytes write_cron_set(const CronSetView& set);
Bytes write_cron_remove(std::string_view name);

// Each checks lengths and names; the views stay valid while `record` (private memory) does.
std::expected<CronSetView, Error> read_cron_set(ByteView record);
std::expected<CronRemoveView, Error> read_cron_remove(ByteView record);

}  // namespace pqd
