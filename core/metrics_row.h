// What happened to the jobs of one queue and type within one minute or one hour. Rows are kept in the store,
// and any of them can be added up. Jobs of durability `memory` are in no journal and count in none.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "core/histogram.h"
#include "core/job.h"
#include "core/limits.h"

namespace pqd {

// Both in the store's keys: append, never renumber.
enum class MetricsResolution : uint8_t { kMinute = 1, kHour = 2 };

constexpr TimeNs length_of(MetricsResolution resolution) {
  return resolution == MetricsResolution::kMinute ? 60 * kSecondNs : 3600 * kSecondNs;
}
// How long rows are shown.
constexpr TimeNs span_of(MetricsResolution resolution) {
  return resolution == MetricsResolution::kMinute ? limits::kMetricsMinutesNs : limits::kMetricsHoursNs;
}
// The beginning of the minute or hour that `time` is in.
constexpr TimeNs start_of(MetricsResolution resolution, TimeNs time) {
  return time - time % length_of(resolution);
}

// In the order of the store's keys.
struct MetricsKey {
  MetricsResolution resolution = MetricsResolution::kMinute;
  TimeNs start_ns = 0;
  QueueNo queue = 0;
  TypeNo type = 0;

  friend auto operator<=>(const MetricsKey&, const MetricsKey&) = default;
};

// Each counts what happened in that time, whenever the job came. A stored format: append.
struct MetricsCounts {
  uint64_t submitted = 0;  // became jobs: a submit that waited for room counts when it has found it
  uint64_t completed = 0;
  uint64_t failed = 0;     // for good
  uint64_t timed_out = 0;  // waited longer than their queue_timeout
  uint64_t cancelled = 0;
  uint64_t retried = 0;   // attempts that ended without success and have another after them
  uint64_t redriven = 0;  // lives that began anew from a dead letter

  friend bool operator==(const MetricsCounts&, const MetricsCounts&) = default;
};

// The one list of them, for writing, reading and adding up.
inline constexpr uint64_t MetricsCounts::*kMetricsCounts[] = {
    &MetricsCounts::submitted, &MetricsCounts::completed, &MetricsCounts::failed,  &MetricsCounts::timed_out,
    &MetricsCounts::cancelled, &MetricsCounts::retried,   &MetricsCounts::redriven};
static_assert(sizeof kMetricsCounts / sizeof *kMetricsCounts == sizeof(MetricsCounts) / sizeof(uint64_t));

struct MetricsRow {
  MetricsCounts counts;
  Histogram wait;        // from becoming ready to each assignment
  Histogram processing;  // from the assignment to the completion, of the attempts that completed

  void merge(const MetricsRow& other);

  friend bool operator==(const MetricsRow&, const MetricsRow&) = default;
};

Bytes encode(const MetricsRow& row);
// Nothing: the bytes are no row.
std::optional<MetricsRow> decode_metrics_row(ByteView bytes);

}  // namespace pqd
