// pqctl health
#include <boost/json/object.hpp>
#include <cmath>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/info_json.h"

namespace pqd::ctl {
namespace {

std::string milliseconds_text(double ms) { return duration_text(Milliseconds(std::llround(ms))); }
std::string percent_text(double share) { return std::to_string(std::llround(share * 100)) + " %"; }

Sheet health_sheet(const HealthInfo& health) {
  const Tone tone = health.status == 0 ? Tone::kGood : health.status == 1 ? Tone::kWarn : Tone::kBad;
  Sheet sheet;
  sheet.add("status", health_status(health), tone);
  for (const std::string& reason : health.degraded_reasons) sheet.add("because", reason, tone);
  sheet.add("depth", std::to_string(health.queue_depth) + " (" + std::to_string(health.pending) +
                         " pending, " + std::to_string(health.processing) + " in hand), " +
                         percent_text(capacity_utilization(health)) + " of capacity");
  sheet.add("oldest ready", milliseconds_text(health.oldest_ready_age_ms));
  sheet.add("active workers", std::to_string(health.active_workers));
  sheet.add("average wait", milliseconds_text(health.average_wait_ms));
  sheet.add("average processing", milliseconds_text(health.average_processing_ms));
  sheet.add("failures",
            std::to_string(health.failed_recent) + " within the hour, " + percent_text(failure_rate(health)));
  sheet.add("dead letters", std::to_string(health.dlq_size));
  return sheet;
}

}  // namespace

int run_health(Context& context) {
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto health = client->health();
  if (!health) return context.fail(health.error());
  if (context.format() == Format::kTable) {
    context.print(health_sheet(*health));
  } else {
    context.print_json(boost::json::value(health_json(*health)));
  }
  return health->status;
}

}  // namespace pqd::ctl
