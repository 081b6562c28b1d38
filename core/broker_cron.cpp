// The broker's schedules: set, removed, and fired when they are due.
//
// A run that is due makes a job at once, or waits: for room in its queue, for the end of a drain, for the
// disk, for the rules of its zone. It waits until the job is made, however long, and while it does the
// schedule has no other run: one run comes out of a day without room. The same holds for the time when nobody
// looked. A waiting run goes before the submits that wait for room in the same queue: it is one job, and they
// are many.
#include <cstdlib>

#include "core/broker.h"
#include "core/canary.h"
#include "core/cron_next.h"
#include "core/short_hash.h"

namespace pqd {
namespace {

// What nothing in a turn tells us (disk, zones) is looked at so often while a run waits for it.
constexpr TimeNs kLookAgainNs = kSecondNs;

// The job as the schedule keeps it: without an id, and without what a client says about the sending.
Bytes kept_record(ByteView record) {
  Bytes kept(record.begin(), record.end());
  SubmitHead head;
  std::memcpy(&head, kept.data(), sizeof head);
  head.head.flags &= kFlagBackoffJitter;
  head.id = JobId::make(0, JobId::kScheduleTag, 0, 0);
  std::memcpy(kept.data(), &head, sizeof head);
  return kept;
}

}  // namespace

std::shared_ptr<const ZoneRules> Broker::zone(std::string_view name) const {
  if (options_.zones != nullptr) return options_.zones->find(name);
  return name == "UTC" ? std::make_shared<UtcRules>() : nullptr;
}

Error Broker::examine_schedule(const CronSetView& set, const SubmitView& job, const Rights& rights) const {
  if (const Error error = check_schedule_job(job, options_.payload_bytes_max).error; error != Error::kOk)
    return error;
  if (const Error error = examine_wish(job, rights); error != Error::kOk) return error;
  if (!parse_cron_spec(set.spec) || zone(set.zone) == nullptr) return Error::kInvalidRequest;
  const Schedules& schedules = state_.tables.schedules();
  const Schedule* earlier = schedules.find(set.name);
  if (earlier != nullptr && !set.replace) return Error::kDuplicateRequest;
  if (earlier == nullptr && schedules.all().size() >= limits::kSchedulesMax) return Error::kInvalidRequest;
  if (schedules.find_namesake(set.name) != nullptr) return Error::kInvalidRequest;
  const size_t freed = earlier == nullptr ? 0 : earlier->record.size();
  const bool fits = schedules.record_bytes() - freed + set.job.size() <= limits::kScheduleBytesMax;
  return fits ? Error::kOk : Error::kPayloadTooLarge;
}

Error Broker::set_schedule(const Origin& origin, ByteView record) {
  const auto set = read_cron_set(record);
  if (!set) return set.error();
  const uint32_t uid = state_.tables.session(origin.session)->uid;
  if (!rights(origin.session).admin()) return Error::kUnauthorized;
  const auto job = read_submit_record(set->job);
  if (!job) return job.error();
  const Bytes kept = kept_record(set->job);
  // Sent again after a reconnect, it may have counted the first time.
  if (const Schedule* earlier = state_.tables.schedules().find(set->name)) {
    const bool same = earlier->spec == set->spec && earlier->zone == set->zone && earlier->record == kept;
    if ((set->head.flags & kFlagResubmitted) != 0 && same && earlier->owner_uid == uid) return Error::kOk;
  }
  if (const Error error = examine_schedule(*set, *job, rights(origin.session)); error != Error::kOk)
    return error;
  const auto due = next_after(*parse_cron_spec(set->spec), *zone(set->zone), now(), now());
  if (!due) return Error::kInvalidRequest;
  const Error names = examine_names(origin, job->queue, std::span(&job->type, 1));
  if (names != Error::kOk) return names;
  CronSet event;
  event.name = set->name;
  event.spec = set->spec;
  event.zone = set->zone;
  event.queue = queue_for(origin, job->queue);
  event.type = type_for(origin, job->type);
  event.owner_uid = uid;
  event.by = origin.session;
  event.due_ns = *due;
  event.record = commit_->add_blob(kept);
  event.payload_hash = short_hash(job->payload);
  note(event);
  state_.apply(event, kept);
  return Error::kOk;
}

Error Broker::remove_schedule(const Origin& origin, ByteView record) {
  const auto remove = read_cron_remove(record);
  if (!remove) return remove.error();
  const uint32_t uid = state_.tables.session(origin.session)->uid;
  const Schedule* schedule = state_.tables.schedules().find(remove->name);
  const bool own = schedule != nullptr && schedule->owner_uid == uid;
  const bool seen = schedule != nullptr && (own || rights(origin.session).operates());
  if (!seen) {
    const bool again = schedule == nullptr && (remove->head.flags & kFlagResubmitted) != 0;
    return again ? Error::kOk : Error::kNotFound;
  }
  if (!own && !rights(origin.session).admin()) return Error::kUnauthorized;
  emit(CronRemoved{std::string(remove->name), origin.session});
  return Error::kOk;
}

void Broker::fire_schedules() {
  fire_again_ns_ = 0;
  for (const std::string& name : state_.tables.schedules().due(now()))
    fire(*state_.tables.schedules().find(name));
}

void Broker::fire(const Schedule& schedule) {
  const QueueEntry& queue = state_.tables.queue(schedule.queue);
  const auto rules = zone(schedule.zone);
  if (rules == nullptr || intake_ != Error::kOk) {
    fire_again_ns_ = now() + kLookAgainNs;
    return;
  }
  if (queue.draining) return;
  const auto spec = parse_cron_spec(schedule.spec);
  const auto job = read_submit_record(schedule.record);
  if (!spec || !job) std::abort();
  const TimeNs from = PQD_CANARY("missed-runs-all-made-up") ? schedule.due_ns : now();
  const TimeNs next = next_after(*spec, *rules, from, schedule.due_ns).value_or(0);
  const bool can_fit = queue.settings.max_depth > 0 && job->payload.size() <= queue.settings.max_bytes;
  if (!can_fit) {
    emit(CronFired{schedule.name, schedule.due_ns, next, static_cast<uint8_t>(Error::kPayloadTooLarge)});
    return commit_->require_sync();
  }
  // Ahead of a submit of its ordering key it may not go, and behind it, it would keep the room that one waits
  // for.
  const Slot last = state_.queue(schedule.queue).keys.last(job->ordering_key);
  const bool behind = !job->ordering_key.empty() && last != kNoSlot &&
                      state_.jobs[last].state == JobState::kPending &&
                      state_.jobs[last].pending == Pending::kParked;
  if (!behind && has_room(schedule.queue, 1, job->payload.size())) make_run(schedule, next);
}

void Broker::make_run(const Schedule& schedule, TimeNs next_ns) {
  const JobId id = run_id(schedule.name, schedule.due_ns, run_tag());
  const auto [queue, type, uid] = std::tuple(schedule.queue, schedule.type, schedule.owner_uid);
  Bytes record = schedule.record;
  std::memcpy(record.data() + offsetof(SubmitHead, id), &id, sizeof id);
  // It cannot be there (see run_id). If it were, the run would have happened.
  const bool known = state_.jobs.find(id) != kNoSlot || finished_.find_finished(id).has_value();
  const Error code = known ? Error::kDuplicateRequest : Error::kOk;
  const bool forgotten = PQD_CANARY("missed-run-forgotten") && now() - schedule.due_ns > 60 * kSecondNs;
  emit(CronFired{schedule.name, schedule.due_ns, next_ns, static_cast<uint8_t>(code)});
  if (known || forgotten) return commit_->require_sync();
  Candidate run{.origin = {}, .record = commit_->add_blob(record), .view = {}};
  run.view = *read_submit_record(commit_->blob(run.record));
  run.owner_uid = uid;
  run.payload_hash = short_hash(run.view.payload);
  accept(run, queue, type, false);
  if (run.view.head.durability == static_cast<uint8_t>(Durability::kFsync)) commit_->require_sync();
}

}  // namespace pqd
