// The schedules that there are: a part of the tables, a fold over CronSet, CronRemoved and CronFired. Knows
// no zone and parses no spec: when a schedule is due next is in the events. Not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/event.h"

namespace pqd {

struct Schedule {
  std::string name;
  std::string spec;
  std::string zone;
  Bytes record;  // the submit record of its jobs; its id is replaced in each run
  QueueNo queue = 0;
  TypeNo type = 0;
  uint32_t owner_uid = 0;
  TimeNs set_ns = 0;
  TimeNs due_ns = 0;      // the next run, or since when one waits; 0 = none any more
  TimeNs last_ns = 0;     // when the last run was due; 0 = none yet
  uint8_t last_code = 0;  // Error: why the last run made no job
};

// The id of the job that a run makes. It cannot be anybody else's: no session has the tag, two schedules of a
// partition whose names come to the same 42 bits are never there together, and one schedule's due times only
// grow. The lane and counter of the id are a hash of the name. `tag`: make_tag(0, ...) of the partition.
JobId run_id(std::string_view name, TimeNs due_ns, uint32_t tag = JobId::kScheduleTag);

class Schedules {
 public:
  const Schedule* find(std::string_view name) const;
  // One whose runs would have the ids of this one's; never one of the same name.
  const Schedule* find_namesake(std::string_view name) const;
  const std::map<std::string, Schedule, std::less<>>& all() const { return all_; }
  size_t record_bytes() const { return record_bytes_; }

  // The names of those that are due at `now`, the longest waiting first.
  std::vector<std::string> due(TimeNs now) const;
  // When the next one after `now` is due.
  std::optional<TimeNs> next_due_ns(TimeNs now) const;

  // `record`: what the event points to. `now`: the clock of the event.
  void apply(const CronSet& e, ByteView record, TimeNs now);
  void apply(const CronRemoved& e);
  void apply(const CronFired& e);

  void encode(ByteWriter& out) const;
  // False when the bytes are not schedules.
  bool decode(ByteReader& in);

  // For State::check_invariants: the first broken invariant by name, nullptr when all hold.
  const char* find_fault(size_t queue_count, size_t type_count) const;

 private:
  void add(Schedule&& schedule);
  void remove(std::string_view name);

  std::map<std::string, Schedule, std::less<>> all_;
  std::set<std::pair<TimeNs, std::string>> by_due_;  // those that are due some time
  size_t record_bytes_ = 0;
};

}  // namespace pqd
