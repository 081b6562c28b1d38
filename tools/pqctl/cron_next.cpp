// pqctl cron next NAME | SPEC [--tz ZONE] [-n N]
#include "core/cron_next.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "daemon/zone/zone_files.h"
#include "tools/pqctl/commands.h"
#include "tools/pqctl/cron_times.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/job_view.h"

namespace pqd::ctl {
namespace {

// What is asked about: a schedule of the daemon, or one that there is not yet.
struct Question {
  std::string spec;
  std::string zone;
  TimeNs first_ns = 0;  // the next run, where the daemon knows it
};

Checked<Question> question_of(Context& context, const CronNextOptions& options) {
  if (!options.spec.empty()) return Question{options.spec, options.zone};
  auto client = context.connect();
  if (!client) return std::unexpected(client.error());
  const auto found = client->cron_list(options.name);
  if (!found && found.error().error == Error::kNotFound) {
    return complain(Error::kNotFound,
                    "there is no schedule " + options.name + "; `pqctl cron ls` lists them");
  }
  if (!found) return complain(found.error());
  if (found->empty() || found->front().next_ns == 0)
    return complain(Error::kNotFound, "the schedule " + options.name + " has no more runs");
  return Question{found->front().spec, found->front().zone, found->front().next_ns};
}

std::string what_is_wrong(const std::string& spec, const std::string& fault) {
  const bool may_be_a_name = spec.find_first_of(" \t@") == std::string::npos;
  return "the schedule's time: " + fault +
         (may_be_a_name ? "; if it is a schedule's name, that is 1 to 64 of A-Z a-z 0-9 . _ : -" : "");
}

// "2026-03-29 03:00:00 +02:00", as the zone's clocks show it.
std::string local_text(const ZoneRules& zone, TimeNs time) {
  const int32_t offset_s = zone.span_at(time / kSecondNs).offset_s;
  std::string text = iso_time(time + offset_s * kSecondNs).substr(0, 19);
  text[10] = ' ';
  const int32_t minutes = std::abs(offset_s) / 60;
  char shown[16];
  std::snprintf(shown, sizeof shown, " %c%02d:%02d", offset_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
  return text + shown;
}

}  // namespace

Checked<std::shared_ptr<const ZoneRules>> find_zone(ZoneSource& zones, const std::string& name) {
  if (auto zone = zones.find(name)) return zone;
  return complain(Error::kInvalidRequest,
                  "there is no time zone \"" + name + "\" under " + kZoneDirectory +
                      "; write it like Europe/Berlin or UTC (the package tzdata has them all)");
}

int run_cron_next(Context& context, const CronNextOptions& options) {
  if (options.name.empty() == options.spec.empty())
    return context.fail(
        {kExitUsage, "next takes a schedule's NAME, or a SPEC in quotes: pqctl cron next '0 9 * * mon'"});
  const auto question = question_of(context, options);
  if (!question) return context.fail(question.error());
  const auto spec = parse_cron_spec(question->spec);
  if (!spec)
    return context.fail(complaint_of(Error::kInvalidRequest, what_is_wrong(question->spec, spec.error())));
  ZoneFiles zones;
  const auto zone = find_zone(zones, question->zone);
  if (!zone) return context.fail(zone.error());
  const TimeNs now = unix_now_ms() * kMillisecondNs;
  Table table({{.heading = "LOCAL", .whole = true}, {.heading = "UTC", .whole = true}, {.heading = "WHEN"}});
  boost::json::array array;
  TimeNs run = question->first_ns;
  if (run == 0) run = next_after(*spec, **zone, now, now).value_or(0);
  const TimeNs anchor = run;
  for (uint32_t left = options.count; left > 0 && run != 0; --left) {
    const std::string local = local_text(**zone, run);
    table.add({{local}, {iso_time(run)}, {age_text(run), Tone::kFaint}});
    array.push_back({{"at", iso_time(run)}, {"local", local}, {"zone", question->zone}});
    run = next_after(*spec, **zone, std::max(run, now), anchor).value_or(0);
  }
  if (context.format() == Format::kTable) {
    context.print(table);
  } else {
    context.print_json_list(array);
  }
  return kExitOk;
}

}  // namespace pqd::ctl
