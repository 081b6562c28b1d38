// pqctl cron ls | add NAME SPEC TYPE [PAYLOAD] | rm NAME
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/cron_spec.h"
#include "core/schedule_record.h"
#include "daemon/zone/zone_files.h"
#include "tools/pqctl/commands.h"
#include "tools/pqctl/cron_times.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/job_view.h"
#include "tools/pqctl/submit_fields.h"

namespace pqd::ctl {
namespace {

boost::json::object schedule_json(const ScheduleInfo& schedule) {
  boost::json::object object{{"name", schedule.name},   {"spec", schedule.spec}, {"zone", schedule.zone},
                             {"queue", schedule.queue}, {"type", schedule.type}, {"uid", schedule.owner_uid}};
  object["addedAt"] = iso_time(schedule.set_ns);
  if (schedule.next_ns != 0) object["nextRunAt"] = iso_time(schedule.next_ns);
  if (schedule.waiting) object["waiting"] = true;
  if (schedule.last_ns != 0) object["lastRunAt"] = iso_time(schedule.last_ns);
  if (!schedule.last_id.empty()) object["lastRequestId"] = schedule.last_id.to_string();
  if (schedule.last_code != 0) {
    const std::string_view name = error_name(static_cast<Error>(schedule.last_code));
    object["lastError"] = boost::json::string_view(name.data(), name.size());
  }
  object["payloadBytes"] = schedule.payload_bytes;
  return object;
}

Cell next_cell(const ScheduleInfo& schedule) {
  if (schedule.next_ns == 0) return {"never", Tone::kWarn};
  if (schedule.waiting) return {"waits for room since " + iso_time(schedule.next_ns), Tone::kWarn};
  return {age_text(schedule.next_ns)};
}

Cell last_cell(const ScheduleInfo& schedule) {
  if (schedule.last_ns == 0) return {"never", Tone::kFaint};
  if (schedule.last_code == 0) return {age_text(schedule.last_ns)};
  return {std::string(error_name(static_cast<Error>(schedule.last_code))), Tone::kBad};
}

Checked<void> check_schedule(const CronAddOptions& options, const SubmitFields& fields) {
  if (!valid_name(options.name))
    return complain(Error::kInvalidRequest, "a schedule's name is 1 to 64 of A-Z a-z 0-9 . _ : -");
  if (const auto spec = parse_cron_spec(options.spec); !spec)
    return complain(Error::kInvalidRequest, "the schedule's time: " + spec.error());
  ZoneFiles zones;
  if (auto zone = find_zone(zones, options.zone); !zone) return std::unexpected(zone.error());
  if (!fields.idempotency_key.empty() || fields.not_before_ms != 0 ||
      fields.durability == Durability::kMemory) {
    return complain(Error::kInvalidRequest,
                    "a schedule's jobs take no idempotency key, no delay and no durability memory");
  }
  return {};
}

}  // namespace

int run_cron_list(Context& context) {
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto schedules = client->cron_list();
  if (!schedules) return context.fail(schedules.error());
  if (context.format() != Format::kTable) {
    boost::json::array array;
    for (const ScheduleInfo& schedule : *schedules) array.push_back(schedule_json(schedule));
    context.print_json_list(array);
    return kExitOk;
  }
  Table table({{.heading = "NAME", .width_min = 8},
               {.heading = "SPEC", .width_min = 9},
               {.heading = "ZONE"},
               {.heading = "NEXT", .width_min = 6},
               {.heading = "LAST", .width_min = 6},
               {.heading = "QUEUE"},
               {.heading = "TYPE"}});
  for (const ScheduleInfo& s : *schedules)
    table.add({{s.name}, {s.spec}, {s.zone}, next_cell(s), last_cell(s), {s.queue}, {s.type}});
  context.print(table);
  return kExitOk;
}

int run_cron_add(Context& context, const CronAddOptions& options) {
  const auto fields = read_fields(options.job.fields, options.job.payload);
  if (!fields) return context.fail(fields.error());
  if (const auto good = check_schedule(options, *fields); !good) return context.fail(good.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto set =
      client->cron_set({options.name, options.spec, options.zone, fields->request(), options.replace});
  if (!set && set.error().error == Error::kDuplicateRequest) {
    return context.fail(complaint_of(
        Error::kDuplicateRequest,
        "there is a schedule " + options.name + " already; --replace puts this one in its place"));
  }
  if (!set && set.error().error == Error::kNotFound)
    return context.fail(refusal_of(set.error(), fields->queue));
  if (!set) return context.fail(set.error());
  const auto added = client->cron_list(options.name);
  if (!added || added->empty()) return kExitOk;  // somebody was quick to remove it
  if (context.format() == Format::kTable)
    context.say("next run: " + iso_time(added->front().next_ns) + ", " + age_text(added->front().next_ns));
  else
    context.print_json(boost::json::value(schedule_json(added->front())));
  return kExitOk;
}

int run_cron_remove(Context& context, const std::string& name) {
  if (!valid_name(name)) {
    return context.fail(
        complaint_of(Error::kInvalidRequest, "a schedule's name is 1 to 64 of A-Z a-z 0-9 . _ : -"));
  }
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto removed = client->cron_remove(name);
  if (!removed && removed.error().error == Error::kNotFound) {
    return context.fail(
        complaint_of(Error::kNotFound, "there is no schedule " + name + "; `pqctl cron ls` lists them"));
  }
  return removed ? kExitOk : context.fail(removed.error());
}

}  // namespace pqd::ctl
