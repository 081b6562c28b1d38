// What a question about figures is answered with: sums over a span of time, of all jobs asked for, of each
// queue, of each type. As values and as the bytes of an answer's body; new fields are appended, as in info.h.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/metrics_row.h"

namespace pqd {

// Part of the ABI: append, never renumber.
enum class MetricsBy : uint8_t { kAll = 0, kQueue = 1, kType = 2 };

// QueryHead::metrics_by: what is answered beside the sum of all.
inline constexpr uint8_t kMetricsByQueue = 1u << 0;
inline constexpr uint8_t kMetricsByType = 1u << 1;
inline constexpr uint8_t kMetricsRows = 1u << 2;  // each with its row, so that answers can be added up

// Milliseconds; percentiles are at most 1/16 off. All zero when `count` is.
struct TimesInfo {
  uint64_t count = 0;
  double average_ms = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

struct MetricsInfo {
  MetricsBy by = MetricsBy::kAll;
  MetricsResolution resolution = MetricsResolution::kMinute;
  std::string name;    // of the queue or type; empty for all
  TimeNs from_ns = 0;  // what is covered: whole minutes or hours, up to now
  TimeNs to_ns = 0;
  uint32_t left_out = 0;  // of all: queues and types beyond the limit
  MetricsCounts counts;
  TimesInfo wait;        // from becoming ready to each assignment
  TimesInfo processing;  // from the assignment to the completion, of the attempts that completed
  std::optional<MetricsRow> row;  // what the figures come from, where it was asked for
};

MetricsInfo metrics_info(const MetricsRow& row);

// The busiest come first, so that a limit leaves out what weighs least.
uint64_t weight(const MetricsRow& row);

// Completed of those that completed, failed or timed out, 0..1; 1 when there are none.
double success_rate(const MetricsCounts& counts);
// Completed a second over what is covered; 0 when that is nothing.
double throughput(const MetricsInfo& info);

Bytes encode(const MetricsInfo& info);
std::expected<MetricsInfo, Error> decode_metrics_info(ByteView body);

}  // namespace pqd
