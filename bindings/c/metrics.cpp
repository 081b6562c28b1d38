// Figures over a time.
#include "bindings/c/handles.h"

namespace {

using namespace pqd;
using namespace pqd::c_abi;

pqd_times times_of(const TimesInfo& times) {
  return {times.count, times.average_ms, times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms};
}

pqd_metrics_info info_of(const MetricsInfo& metrics) {
  pqd_metrics_info info{};
  info.size = sizeof info;
  info.name = metrics.name.c_str();
  info.from_ms = metrics.from_ns / kMillisecondNs;
  info.to_ms = metrics.to_ns / kMillisecondNs;
  info.resolution_ms = length_of(metrics.resolution) / kMillisecondNs;
  info.submitted = metrics.counts.submitted;
  info.completed = metrics.counts.completed;
  info.failed = metrics.counts.failed;
  info.timed_out = metrics.counts.timed_out;
  info.cancelled = metrics.counts.cancelled;
  info.retried = metrics.counts.retried;
  info.redriven = metrics.counts.redriven;
  info.throughput = throughput(metrics);
  info.success_rate = success_rate(metrics.counts);
  info.wait = times_of(metrics.wait);
  info.processing = times_of(metrics.processing);
  info.left_out = metrics.left_out;
  info.by = static_cast<uint8_t>(metrics.by);
  return info;
}

}  // namespace

extern "C" {

pqd_status pqd_metrics(pqd_client* client, const pqd_metrics_options* options, pqd_metrics_callback callback,
                       void* user) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (callback == nullptr) return misused("there is no callback");
    const pqd_metrics_options defaults = PQD_METRICS_OPTIONS_INIT;
    const auto from = read_sized(options == nullptr ? defaults : *options, defaults);
    const bool clean =
        from && from->by_queue <= 1 && from->by_type <= 1 && from->reserved[0] == 0 && from->reserved[1] == 0;
    if (!clean) return misused("the options' size is not set, or a field is out of its range");
    const auto parts = c.metrics({from->since_ms, from->until_ms, view_of(from->queue), view_of(from->type),
                                  from->by_queue != 0, from->by_type != 0, from->limit});
    if (!parts) return std::unexpected(parts.error());
    for (const MetricsInfo& part : *parts) {
      const pqd_metrics_info info = info_of(part);
      if (callback(&info, user) != 0) break;
    }
    return {};
  });
}

}  // extern "C"
