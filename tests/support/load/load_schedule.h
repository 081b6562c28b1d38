// What a load's schedule is: like its jobs a function of the load's options and a number.
#pragma once

#include "bindings/cpp/requests.h"
#include "core/job.h"
#include "tests/support/load/load_job.h"

namespace pqd::test {

struct LoadSchedule {
  std::string name;  // of this number alone
  std::string spec;  // at whole seconds, every few of them
  TimeNs every_ns = 0;
  std::string type;
  std::string payload;
  pqd::Delivery delivery = pqd::Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  std::string ordering_key;

  // Its views are of this and of `options`. Its runs land in the load's queue.
  ScheduleRequest request(const LoadOptions& options) const;
};
LoadSchedule load_schedule(const LoadOptions& options, uint64_t number);

// The number of a schedule of this load; nothing when it is none.
std::optional<uint64_t> schedule_number(const LoadOptions& options, std::string_view name);

// What a reviewer says in a load: by the command's number, so that each is found again.
inline std::string load_resolution(uint64_t number) { return "looked into, " + std::to_string(number); }

}  // namespace pqd::test
