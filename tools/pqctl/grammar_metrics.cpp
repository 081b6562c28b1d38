// The grammar of the command that tells figures.
#include <array>
#include <memory>

#include "tools/pqctl/grammar.h"

namespace pqd::ctl {
namespace {

struct Report {
  const char* name;
  const char* what;
  const char* example;
  MetricsReport report;
};
constexpr std::array kReports{
    Report{"hourly", "The last hour: counts, rates, times of waiting and of processing",
           "pqctl metrics hourly", MetricsReport::kHourly},
    Report{"daily", "The same of the last 24 hours", "pqctl metrics daily -o json", MetricsReport::kDaily},
    Report{"detailed", "Any time, also by status, by queue and by type (the last 24 hours)",
           "pqctl metrics detailed --from 7d --to 1d", MetricsReport::kDetailed},
    Report{"by-type", "Any time, by type (the last 24 hours)", "pqctl metrics by-type --from 2026-01-01",
           MetricsReport::kByType},
};

}  // namespace

void add_metrics_command(CLI::App& app, Chosen& chosen) {
  CLI::App& metrics = add_command(app, "metrics",
                                  "What happened in a time: submitted, completed, failed, how long it took. "
                                  "Per minute for 24 hours, per hour "
                                  "for 18 months; without jobs of durability memory, and up to a second late",
                                  "pqctl metrics hourly");
  metrics.require_subcommand(1);
  for (const Report& report : kReports) {
    CLI::App& command = add_command(metrics, report.name, report.what, report.example);
    const auto options = std::make_shared<MetricsOptions>();
    options->report = report.report;
    command.add_option("--queue", options->queue, "only this queue");
    command.add_option("--type", options->type, "only this type");
    CLI::Option* from = command.add_option("--from", options->from,
                                           "since: how long ago (2h), or when (2026-01-31T12:00:00Z)");
    CLI::Option* to = command.add_option("--to", options->to, "until: the same (now)");
    // Not theirs, but people will try.
    if (report.report == MetricsReport::kHourly || report.report == MetricsReport::kDaily)
      from->group(""), to->group("");
    command.callback(
        [=, &chosen] { chosen = [options](Context& context) { return run_metrics(context, *options); }; });
  }
}

}  // namespace pqd::ctl
