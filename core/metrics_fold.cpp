#include "core/metrics_fold.h"

#include <algorithm>
#include <iterator>

namespace pqd {
namespace {

// What a row comes to, as a rule.
constexpr size_t kRowBytesRoughly = 256;

constexpr uint64_t line_number(QueueNo queue, TypeNo type) { return uint64_t{queue} << 32 | type; }

void add(MetricsRow& row, const MetricsChange& change) {
  if (change.count != nullptr) ++(row.counts.*change.count);
  if (change.wait_ns) row.wait.add(static_cast<uint64_t>(std::max<int64_t>(*change.wait_ns, 0)));
  if (change.processing_ns)
    row.processing.add(static_cast<uint64_t>(std::max<int64_t>(*change.processing_ns, 0)));
}

}  // namespace

void MetricsFold::count(QueueNo queue, TypeNo type, const MetricsChange& change, TimeNs now,
                        const Stored& stored) {
  if (change.count == nullptr && !change.wait_ns && !change.processing_ns) return;
  if (now >= minute_ns_ + length_of(MetricsResolution::kMinute)) begin_minute(now);
  Line& line = line_of(queue, type, stored);
  add(line.minute, change);
  add(line.hour, change);
  if (!line.minute_changed) changed_bytes_ += kRowBytesRoughly;
  if (!line.hour_changed) changed_bytes_ += kRowBytesRoughly;
  line.minute_changed = line.hour_changed = true;
}

MetricsFold::Line& MetricsFold::line_of(QueueNo queue, TypeNo type, const Stored& stored) {
  const uint64_t number = line_number(queue, type);
  if (latest_line_ != nullptr && latest_ == number) return *latest_line_;
  auto at = lines_.find(number);
  if (at == lines_.end()) {
    if (lines_.size() >= limits::kMetricsLinesMax) forget_lines();
    Line line;
    line.minute = row_at({MetricsResolution::kMinute, minute_ns_, queue, type}, stored);
    line.hour = row_at({MetricsResolution::kHour, hour_ns_, queue, type}, stored);
    at = lines_.emplace(number, std::move(line)).first;
  }
  latest_ = number;
  latest_line_ = &at->second;
  return at->second;
}

MetricsRow MetricsFold::row_at(const MetricsKey& key, const Stored& stored) const {
  const auto aside = put_aside_.find(key);
  if (aside != put_aside_.end()) return decode_metrics_row(aside->second).value_or(MetricsRow{});
  return stored(key).value_or(MetricsRow{});
}

void MetricsFold::begin_minute(TimeNs now) {
  const TimeNs hour_ns = start_of(MetricsResolution::kHour, now);
  if (hour_ns != hour_ns_) forget_lines();
  for (auto& [number, line] : lines_) {
    if (line.minute_changed) put_aside(number, MetricsResolution::kMinute, line.minute);
    line.minute = {};
    line.minute_changed = false;
  }
  minute_ns_ = start_of(MetricsResolution::kMinute, now);
  hour_ns_ = hour_ns;
}

void MetricsFold::forget_lines() {
  for (const auto& [number, line] : lines_) {
    if (line.minute_changed) put_aside(number, MetricsResolution::kMinute, line.minute);
    if (line.hour_changed) put_aside(number, MetricsResolution::kHour, line.hour);
  }
  lines_.clear();
  latest_line_ = nullptr;
}

void MetricsFold::put_aside(uint64_t line, MetricsResolution resolution, const MetricsRow& row) {
  const TimeNs start_ns = resolution == MetricsResolution::kMinute ? minute_ns_ : hour_ns_;
  const MetricsKey key{resolution, start_ns, static_cast<QueueNo>(line >> 32), static_cast<TypeNo>(line)};
  put_aside_.insert_or_assign(key, encode(row));
}

std::vector<std::pair<MetricsKey, Bytes>> MetricsFold::take() {
  for (auto& [number, line] : lines_) {
    if (line.minute_changed) put_aside(number, MetricsResolution::kMinute, line.minute);
    if (line.hour_changed) put_aside(number, MetricsResolution::kHour, line.hour);
    line.minute_changed = line.hour_changed = false;
  }
  std::vector<std::pair<MetricsKey, Bytes>> rows(std::make_move_iterator(put_aside_.begin()),
                                                 std::make_move_iterator(put_aside_.end()));
  put_aside_.clear();
  changed_bytes_ = 0;
  return rows;
}

}  // namespace pqd
