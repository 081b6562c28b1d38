// pqctl metrics hourly|daily|detailed|by-type [--from --to --queue --type]
#include <boost/json/array.hpp>
#include <cmath>
#include <span>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/metrics_json.h"
#include "tools/pqctl/moment.h"

namespace pqd::ctl {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

std::string short_time(double ms) {
  if (ms >= 1'000) return duration_text(Milliseconds(std::llround(ms)));
  const auto microseconds = std::llround(ms * 1'000);
  if (ms >= 10) return std::to_string(std::llround(ms)) + "ms";
  return std::to_string(microseconds / 1'000) + "." + std::to_string(microseconds % 1'000 / 100) + "ms";
}
std::string percent_text(double share) { return std::to_string(std::llround(share * 100)) + " %"; }

std::string times_text(const TimesInfo& times) {
  if (times.count == 0) return "none";
  return "average " + short_time(times.average_ms) + ", p50 " + short_time(times.p50_ms) + ", p95 " +
         short_time(times.p95_ms) + ", p99 " + short_time(times.p99_ms) + ", longest " +
         short_time(times.max_ms);
}

std::string rate_text(double per_second) {
  const auto with_tenths = [](double value) {
    const auto tenths = std::llround(value * 10);
    return std::to_string(tenths / 10) + (value < 100 ? "." + std::to_string(tenths % 10) : "");
  };
  if (per_second >= 1) return with_tenths(per_second) + " a second";
  if (per_second * 60 >= 1) return with_tenths(per_second * 60) + " a minute";
  return with_tenths(per_second * 3'600) + " an hour";
}

Sheet sheet_of(const MetricsInfo& info) {
  const MetricsCounts& counts = info.counts;
  Sheet sheet;
  sheet.add("from", iso_time(info.from_ns));
  sheet.add("to", iso_time(info.to_ns) +
                      (info.resolution == MetricsResolution::kMinute ? ", by minutes" : ", by hours"));
  sheet.add("submitted", std::to_string(counts.submitted));
  sheet.add("completed", std::to_string(counts.completed) + ", " + rate_text(throughput(info)) +
                             ", success " + percent_text(success_rate(counts)));
  sheet.add("failed", std::to_string(counts.failed), counts.failed == 0 ? Tone::kPlain : Tone::kBad);
  sheet.add("timed out", std::to_string(counts.timed_out), counts.timed_out == 0 ? Tone::kPlain : Tone::kBad);
  sheet.add("cancelled", std::to_string(counts.cancelled));
  sheet.add("retried", std::to_string(counts.retried));
  sheet.add("redriven", std::to_string(counts.redriven));
  sheet.add("wait", times_text(info.wait));
  sheet.add("processing", times_text(info.processing));
  return sheet;
}

Table table_of(std::span<const MetricsInfo> parts, MetricsBy by) {
  std::vector<Column> columns{{.heading = by == MetricsBy::kQueue ? "QUEUE" : "TYPE", .width_min = 8}};
  for (const char* heading :
       {"SUBMITTED", "DONE", "FAILED", "TIMEOUT", "CANCEL", "RETRY", "WAIT95", "WORK95"})
    columns.push_back({.heading = heading, .whole = true, .right = true});
  Table table(std::move(columns));
  for (const MetricsInfo& info : parts) {
    if (info.by != by) continue;
    const MetricsCounts& counts = info.counts;
    table.add({{info.name},
               {std::to_string(counts.submitted)},
               {std::to_string(counts.completed)},
               {std::to_string(counts.failed), counts.failed == 0 ? Tone::kPlain : Tone::kBad},
               {std::to_string(counts.timed_out), counts.timed_out == 0 ? Tone::kPlain : Tone::kBad},
               {std::to_string(counts.cancelled)},
               {std::to_string(counts.retried)},
               {info.wait.count == 0 ? "-" : short_time(info.wait.p95_ms)},
               {info.processing.count == 0 ? "-" : short_time(info.processing.p95_ms)}});
  }
  return table;
}

Checked<void> check_options(const MetricsOptions& options) {
  for (const auto& [what, name] : {std::pair("queue", &options.queue), std::pair("type", &options.type)})
    if (!name->empty() && !valid_name(*name))
      return complain(Error::kInvalidRequest,
                      std::string("the ") + what + "'s name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
  const bool any_time =
      options.report == MetricsReport::kDetailed || options.report == MetricsReport::kByType;
  if (any_time || (options.from.empty() && options.to.empty())) return {};
  const bool hourly = options.report == MetricsReport::kHourly;
  return complain(kExitUsage, std::string("`metrics ") +
                                  (hourly ? "hourly` is the last hour" : "daily` is the last day") +
                                  "; for another time say `pqctl metrics detailed --from 2h`");
}

struct Span {
  Moment from;
  std::optional<Moment> to;  // nothing = now

  bool needs_clock() const { return from.is_ago || (to && to->is_ago); }
};

Checked<void> check_order(const Span& span, int64_t now_ms) {
  if (!span.to || span.from.by(now_ms) < span.to->by(now_ms)) return {};
  return complain(kExitUsage,
                  "--from is not before --to; write how long ago (2h) or when (2026-01-31T12:00:00Z)");
}

Checked<Span> span_of(const MetricsOptions& options) {
  Span span{{options.report == MetricsReport::kHourly ? kHourMs : kDayMs, true}, {}};
  if (!options.to.empty()) {
    const auto to = read_moment(options.to);
    if (!to) return std::unexpected(to.error());
    span.to = *to;
    span.from = {to->is_ago ? to->ms + kDayMs : to->ms - kDayMs, to->is_ago};
  }
  if (!options.from.empty()) {
    const auto from = read_moment(options.from);
    if (!from) return std::unexpected(from.error());
    span.from = *from;
  }
  // Two of a kind need no clock to be told apart.
  if (span.to && span.to->is_ago == span.from.is_ago) {
    if (const auto ordered = check_order(span, 0); !ordered) return std::unexpected(ordered.error());
  }
  return span;
}

// The daemon's clock, by which its figures are: it may be off the system's for as long as a clock that was
// set is made up for.
Checked<int64_t> daemon_now_ms(Client& client) {
  const auto health = client.health();
  if (!health) return complain(health.error());
  return health->now_ns / kMillisecondNs;
}

Checked<MetricsQuery> query_of(const MetricsOptions& options, const Span& span, int64_t now_ms) {
  if (const auto ordered = check_order(span, now_ms); !ordered) return std::unexpected(ordered.error());
  MetricsQuery query;
  // 0 would be all that there is, or now.
  query.since_ms = std::max<int64_t>(span.from.by(now_ms), 1);
  if (span.to) query.until_ms = std::max<int64_t>(span.to->by(now_ms), 1);
  query.by_type = options.report == MetricsReport::kByType || options.report == MetricsReport::kDetailed;
  query.by_queue = options.report == MetricsReport::kDetailed;
  query.queue = options.queue;
  query.type = options.type;
  return query;
}

void print_report(Context& context, MetricsReport report, std::span<const MetricsInfo> parts) {
  const bool by_type = report == MetricsReport::kByType;
  if (context.format() != Format::kTable) {
    if (!by_type) {
      context.print_json(report == MetricsReport::kDetailed ? detailed_metrics_json(parts)
                                                            : metrics_json(parts.front()));
      return;
    }
    boost::json::array types;
    for (const MetricsInfo& info : parts)
      if (info.by == MetricsBy::kType) types.push_back(metrics_json(info));
    return context.print_json_list(types);
  }
  if (!by_type) context.print(sheet_of(parts.front()));
  if (report == MetricsReport::kDetailed) {
    context.print("\n");
    context.print(table_of(parts, MetricsBy::kQueue));
    context.print("\n");
  }
  if (by_type || report == MetricsReport::kDetailed) context.print(table_of(parts, MetricsBy::kType));
}

}  // namespace

int run_metrics(Context& context, const MetricsOptions& options) {
  if (const auto good = check_options(options); !good) return context.fail(good.error());
  const auto span = span_of(options);
  if (!span) return context.fail(span.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto now_ms = span->needs_clock() ? daemon_now_ms(*client) : 0;
  if (!now_ms) return context.fail(now_ms.error());
  const auto query = query_of(options, *span, *now_ms);
  if (!query) return context.fail(query.error());
  const auto parts = client->metrics(*query);
  if (!parts) return context.fail(parts.error());
  if (parts->empty()) return context.fail(complaint_of(Error::kSystemError, "the daemon's answer is empty"));
  print_report(context, options.report, *parts);
  if (parts->front().left_out != 0)
    context.say("the " + std::to_string(parts->front().left_out) +
                " queues and types with the fewest jobs are left out; name one with --queue or --type");
  return kExitOk;
}

}  // namespace pqd::ctl
