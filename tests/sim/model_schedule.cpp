// The model's schedules, from "Schedules" in core/README.md: one run a due time, those that were missed made
// up for once, each under an id that its name and its due time give.
#include <algorithm>

#include "core/schedule_info.h"
#include "core/schedule_record.h"
#include "tests/sim/calendar.h"
#include "tests/sim/model_offer.h"

namespace pqd::sim {
namespace {

// What two schedules have to agree in to make the same jobs.
Bytes job_of(ByteView record) {
  Bytes job(record.begin(), record.end());
  SubmitHead head;
  std::memcpy(&head, job.data(), sizeof head);
  head.head.flags &= kFlagBackoffJitter;
  head.id = JobId::make(0, JobId::kScheduleTag, 0, 0);
  std::memcpy(job.data(), &head, sizeof head);
  return job;
}

}  // namespace

// nullptr while the zone is not known.
const MovedClock* Model::clock_of(const std::string& zone) const {
  return options_.zones->find(zone) == nullptr ? nullptr : find_clock(zone);
}

Error Model::set_schedule(SessionNo session, ByteView record) {
  const auto set = read_cron_set(record);
  if (!set) return set.error();
  if (!is_admin(session)) return Error::kUnauthorized;
  const auto job = read_submit_record(set->job);
  if (!job) return job.error();
  const std::string name(set->name);
  ModelSchedule schedule;
  schedule.spec = set->spec;
  schedule.zone = set->zone;
  schedule.record = job_of(set->job);
  schedule.owner = sessions_.at(session).uid;
  schedule.queue = job->queue;
  const auto earlier = schedules_.find(name);
  if (earlier != schedules_.end()) {
    const ModelSchedule& e = earlier->second;
    const bool same = e.spec == schedule.spec && e.zone == schedule.zone && e.record == schedule.record &&
                      e.owner == schedule.owner;
    if (same && (set->head.flags & kFlagResubmitted) != 0) return Error::kOk;
  }
  const Error fault = check_schedule_job(*job, options_.payload_bytes_max).error;
  if (fault != Error::kOk) return fault;
  const auto calendar = Calendar::read(schedule.spec);
  const MovedClock* clock = clock_of(schedule.zone);
  if (!calendar || clock == nullptr) return Error::kInvalidRequest;
  if (earlier != schedules_.end() && !set->replace) return Error::kDuplicateRequest;
  if (queue_for(schedule.queue) == nullptr) return Error::kNotFound;
  schedule.set_at = now_;
  schedule.due = *next_run(*calendar, *clock, now_, now_);
  if (earlier != schedules_.end()) {
    schedule.last = earlier->second.last;
    schedule.last_code = earlier->second.last_code;
  }
  schedules_[name] = schedule;
  return Error::kOk;
}

Error Model::remove_schedule(SessionNo session, ByteView record) {
  const auto remove = read_cron_remove(record);
  if (!remove) return remove.error();
  const auto at = schedules_.find(std::string(remove->name));
  const bool again = (remove->head.flags & kFlagResubmitted) != 0;
  if (at == schedules_.end()) return again ? Error::kOk : Error::kNotFound;
  const bool own = at->second.owner == sessions_.at(session).uid;
  if (!own && !operates(session)) return Error::kNotFound;
  if (!own && !is_admin(session)) return Error::kUnauthorized;
  schedules_.erase(at);
  return Error::kOk;
}

void Model::fire_schedules() {
  std::vector<std::pair<TimeNs, std::string>> due;
  for (const auto& [name, schedule] : schedules_)
    if (schedule.due <= now_) due.emplace_back(schedule.due, name);
  std::ranges::sort(due);
  for (const auto& [when, name] : due) fire(name, schedules_.at(name));
}

// A run waits for as long as its job cannot be made, and no other run of its schedule comes meanwhile.
void Model::fire(const std::string& name, ModelSchedule& schedule) {
  const ModelQueue& queue = queues_.at(schedule.queue);
  const MovedClock* clock = clock_of(schedule.zone);
  if (clock == nullptr || intake_ != Error::kOk || queue.draining) return;
  const JobId id = run_id(name, schedule.due);
  Offer run{.owner = schedule.owner, .view = *read_submit_record(schedule.record)};
  run.view.head.id = id;
  const uint64_t bytes = run.view.payload.size();
  const bool fits = queue.settings.max_depth > 0 && bytes <= queue.settings.max_bytes;
  if (fits) {
    const ModelJob* last = nullptr;  // of its ordering key
    for (const auto& [other_id, job] : live_) {
      if (job.queue != schedule.queue || job.key.empty() || job.key != run.view.ordering_key) continue;
      if (last == nullptr || job.arrival > last->arrival) last = &job;
    }
    if ((last != nullptr && last->parked()) || !has_room(schedule.queue, 1, bytes)) return;
    require(find(id) == nullptr, "schedule ", name, " runs a second time at ", schedule.due);
    accept(run, false);
  }
  schedule.last = schedule.due;
  schedule.last_code = fits ? Error::kOk : Error::kPayloadTooLarge;
  schedule.due = *next_run(*Calendar::read(schedule.spec), *clock, now_, schedule.due);
}

void Model::compare_schedules(const State& state) const {
  const auto& all = state.tables.schedules().all();
  for (const auto& [name, schedule] : all)
    require(schedules_.contains(name), "schedule ", name, " is there and should not be");
  for (const auto& [name, want] : schedules_) {
    const auto at = all.find(name);
    require(at != all.end(), "schedule ", name, " is lost");
    const ScheduleInfo got = schedule_info(state.tables, at->second);
    require(got.last_ns == want.last && got.last_code == static_cast<uint8_t>(want.last_code), "schedule ",
            name, ": its last run was due ", got.last_ns - want.last,
            " ns after the one that should be, with ", error_name(static_cast<Error>(got.last_code)));
    require(got.next_ns == want.due, "schedule ", name, " (", want.spec, " in ", want.zone,
            "): its next run is due ", got.next_ns - want.due, " ns after the one that should be");
    // Just recovered it may not know yet how late it is: turns in which nothing happened left no trace.
    require(state.now() != now_ || got.waiting == (want.due <= now_), "schedule ", name,
            got.waiting ? " waits" : " does not wait");
    require(got.spec == want.spec && got.zone == want.zone && got.owner_uid == want.owner &&
                got.queue == want.queue && got.set_ns == want.set_at,
            "schedule ", name, " is another one");
    const bool made = want.last != 0 && want.last_code == Error::kOk;
    require(got.last_id == (made ? run_id(name, want.last) : JobId{}), "schedule ", name,
            ": its last job is another one");
    require(at->second.record == want.record, "schedule ", name, " makes other jobs");
  }
}

}  // namespace pqd::sim
