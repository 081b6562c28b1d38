#include "tools/pqctl/metrics_json.h"

#include <boost/json/array.hpp>
#include <cmath>

#include "tools/pqctl/duration.h"
#include "tools/pqctl/json_text.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

double rounded(double value) { return std::round(value * 1'000) / 1'000; }

json::object times_json(const TimesInfo& times) {
  return {{"count", times.count},         {"average", rounded(times.average_ms)},
          {"p50", rounded(times.p50_ms)}, {"p95", rounded(times.p95_ms)},
          {"p99", rounded(times.p99_ms)}, {"max", rounded(times.max_ms)}};
}

json::object status_json(const MetricsCounts& counts) {
  return {{"completed", counts.completed},
          {"failed", counts.failed},
          {"timeout", counts.timed_out},
          {"cancelled", counts.cancelled}};
}

json::array groups_json(std::span<const MetricsInfo> parts, MetricsBy by) {
  json::array groups;
  for (const MetricsInfo& info : parts)
    if (info.by == by) groups.push_back(metrics_json(info));
  return groups;
}

}  // namespace

json::object metrics_json(const MetricsInfo& info) {
  json::object object;
  if (info.by == MetricsBy::kType) object["type"] = info.name;
  if (info.by == MetricsBy::kQueue) object["queue"] = info.name;
  object["startDate"] = iso_time(info.from_ns);
  object["endDate"] = iso_time(info.to_ns);
  object["resolution"] = info.resolution == MetricsResolution::kMinute ? "minute" : "hour";
  object["submitted"] = info.counts.submitted;
  object["completed"] = info.counts.completed;
  object["failed"] = info.counts.failed;
  object["timedOut"] = info.counts.timed_out;
  object["cancelled"] = info.counts.cancelled;
  object["retried"] = info.counts.retried;
  object["redriven"] = info.counts.redriven;
  object["throughputPerSecond"] = std::round(throughput(info) * 1e6) / 1e6;
  object["successRate"] = rounded(success_rate(info.counts));
  object["failureRate"] = rounded(1 - success_rate(info.counts));
  object["averageWaitTimeMs"] = rounded(info.wait.average_ms);
  object["averageProcessingTimeMs"] = rounded(info.processing.average_ms);
  object["waitTimeMs"] = times_json(info.wait);
  object["processingTimeMs"] = times_json(info.processing);
  return object;
}

json::object detailed_metrics_json(std::span<const MetricsInfo> parts) {
  json::object object = metrics_json(parts.front());
  object["byStatus"] = status_json(parts.front().counts);
  object["byType"] = groups_json(parts, MetricsBy::kType);
  object["byQueue"] = groups_json(parts, MetricsBy::kQueue);
  if (parts.front().left_out != 0) object["leftOut"] = parts.front().left_out;
  return object;
}

}  // namespace pqd::ctl
