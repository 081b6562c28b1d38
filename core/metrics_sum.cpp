#include "core/metrics_sum.h"

#include <algorithm>

#include "core/tables.h"

namespace pqd {
namespace {

TimeNs ns_of(int64_t ms) { return std::clamp<int64_t>(ms, 0, limits::kUnixMsMax) * kMillisecondNs; }

template <class Number, class NameOf>
uint32_t add_groups(const std::map<Number, MetricsRow>& rows, MetricsBy by, uint32_t limit, NameOf name_of,
                    bool with_rows, std::vector<MetricsInfo>& parts) {
  std::vector<std::pair<Number, const MetricsRow*>> order;
  for (const auto& [number, row] : rows) order.emplace_back(number, &row);
  std::ranges::stable_sort(order, std::greater(), [](const auto& group) { return weight(*group.second); });
  const size_t shown = std::min<size_t>(order.size(), limit);
  for (size_t i = 0; i < shown; ++i) {
    MetricsInfo& info = parts.emplace_back(metrics_info(*order[i].second));
    if (with_rows) info.row = *order[i].second;
    info.by = by;
    info.name = name_of(order[i].first);
  }
  return static_cast<uint32_t>(order.size() - shown);
}

}  // namespace

std::expected<MetricsSpan, std::string_view> metrics_span(int64_t since_ms, int64_t until_ms, TimeNs now) {
  using enum MetricsResolution;
  const TimeNs until = until_ms == 0 ? now : std::min(ns_of(until_ms), now);
  TimeNs since = ns_of(since_ms);
  if (since >= until) return std::unexpected("the time asked for is in the future, or ends before it begins");
  // A question about the latest 24 hours takes its time to come here.
  const bool minutes = since >= now - limits::kMetricsMinutesNs - length_of(kMinute);
  const MetricsResolution resolution = minutes ? kMinute : kHour;
  since = std::max(since, now - limits::kMetricsHoursNs);
  if (since >= until) return std::unexpected("figures are kept for 18 months, and this is before that");
  const TimeNs last = start_of(resolution, until - 1);
  return MetricsSpan{resolution, start_of(resolution, since), last + length_of(resolution)};
}

void MetricsSum::add(const MetricsKey& key, const MetricsRow& row) {
  all_.merge(row);
  if ((by_ & kMetricsByQueue) != 0) queues_[key.queue].merge(row);
  if ((by_ & kMetricsByType) != 0) types_[key.type].merge(row);
}

std::vector<MetricsInfo> MetricsSum::parts(const Tables& tables, uint32_t limit, TimeNs now) const {
  std::vector<MetricsInfo> parts;
  const bool with_rows = (by_ & kMetricsRows) != 0;
  parts.push_back(metrics_info(all_));
  if (with_rows) parts.front().row = all_;
  uint32_t left_out = add_groups(
      queues_, MetricsBy::kQueue, limit, [&tables](QueueNo queue) { return tables.queue(queue).name; },
      with_rows, parts);
  left_out += add_groups(
      types_, MetricsBy::kType, limit, [&tables](TypeNo type) { return std::string(tables.type(type)); },
      with_rows, parts);
  parts.front().left_out = left_out;
  for (MetricsInfo& info : parts) {
    info.resolution = span_.resolution;
    info.from_ns = span_.from_ns;
    info.to_ns = std::min(span_.to_ns, now);
  }
  return parts;
}

}  // namespace pqd
