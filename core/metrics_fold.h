// The journal's events as rows of figures: what each event adds, and the rows of the minute and hour that are
// being written. Those behind them are in the store; a row that is touched again is read from there first, so
// that a fold that goes on from a checkpoint comes to what one over the whole journal comes to. Belongs to
// one thread.
#pragma once

#include <functional>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/event.h"
#include "core/limits.h"
#include "core/metrics_row.h"

namespace pqd {

// What one event adds to the rows of its job's queue and type.
struct MetricsChange {
  uint64_t MetricsCounts::*count = nullptr;
  std::optional<int64_t> wait_ns{};
  std::optional<int64_t> processing_ns{};
};

// `job` as the event left it. A kind of event that is not here adds nothing.
inline MetricsChange change_of(const JobCore& /*job*/, const Submitted& event, TimeNs /*now*/) {
  return {event.parked ? nullptr : &MetricsCounts::submitted};
}
inline MetricsChange change_of(const JobCore& /*job*/, const Admitted& /*event*/, TimeNs /*now*/) {
  return {&MetricsCounts::submitted};
}
inline MetricsChange change_of(const JobCore& job, const Assigned& /*event*/, TimeNs now) {
  return {.wait_ns = now - job.ready_ns};
}
inline MetricsChange change_of(const JobCore& job, const Completed& /*event*/, TimeNs now) {
  return {.count = &MetricsCounts::completed, .processing_ns = now - job.assigned_ns};
}
inline MetricsChange change_of(const JobCore& /*job*/, const AttemptFailed& /*event*/, TimeNs /*now*/) {
  return {&MetricsCounts::retried};
}
inline MetricsChange change_of(const JobCore& /*job*/, const Failed& /*event*/, TimeNs /*now*/) {
  return {&MetricsCounts::failed};
}
inline MetricsChange change_of(const JobCore& /*job*/, const TimedOut& /*event*/, TimeNs /*now*/) {
  return {&MetricsCounts::timed_out};
}
inline MetricsChange change_of(const JobCore& /*job*/, const Cancelled& /*event*/, TimeNs /*now*/) {
  return {&MetricsCounts::cancelled};
}
inline MetricsChange change_of(const JobCore& /*job*/, const Redriven& /*event*/, TimeNs /*now*/) {
  return {&MetricsCounts::redriven};
}

class MetricsFold {
 public:
  // The row of an earlier checkpoint; nothing = there is none.
  using Stored = std::function<std::optional<MetricsRow>(const MetricsKey&)>;

  MetricsFold() = default;
  MetricsFold(MetricsFold&&) = default;  // not copied: it points into itself

  // REQUIRES: `now` does not go back.
  void count(QueueNo queue, TypeNo type, const MetricsChange& change, TimeNs now, const Stored& stored);

  // Bytes of the rows that changed, roughly.
  size_t changed_bytes() const { return changed_bytes_; }
  // The rows that changed since the last call, whole, by key. They have to be in the store before the next
  // count().
  std::vector<std::pair<MetricsKey, Bytes>> take();

 private:
  // Of one queue and type.
  struct Line {
    MetricsRow minute;
    MetricsRow hour;
    bool minute_changed = false;
    bool hour_changed = false;
  };

  Line& line_of(QueueNo queue, TypeNo type, const Stored& stored);
  MetricsRow row_at(const MetricsKey& key, const Stored& stored) const;
  void begin_minute(TimeNs now);
  void forget_lines();
  void put_aside(uint64_t line, MetricsResolution resolution, const MetricsRow& row);

  TimeNs minute_ns_ = 0;  // the beginnings of those being written
  TimeNs hour_ns_ = 0;
  std::unordered_map<uint64_t, Line> lines_;  // by queue and type, limits::kMetricsLinesMax at most
  uint64_t latest_ = 0;
  Line* latest_line_ = nullptr;              // of `latest_`: events about one kind of job follow each other
  std::map<MetricsKey, Bytes> put_aside_{};  // changed, and not among the lines any more
  size_t changed_bytes_ = 0;
};

}  // namespace pqd
