// From a question about figures to its answer: which rows it is about, and what they come to. Belongs to one
// thread at a time.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "core/metrics_info.h"

namespace pqd {

class Tables;

// The rows that begin at or after `from_ns` and before `to_ns`.
struct MetricsSpan {
  MetricsResolution resolution = MetricsResolution::kMinute;
  TimeNs from_ns = 0;
  TimeNs to_ns = 0;
};

// What there is of the time asked for: minutes when all of it lies within their span, hours otherwise, the
// first and the last whole. Unix milliseconds; `since_ms` 0 = as far back as there are hours, `until_ms` 0 =
// up to now. Otherwise a sentence: nothing of it can be there.
std::expected<MetricsSpan, std::string_view> metrics_span(int64_t since_ms, int64_t until_ms, TimeNs now);

class MetricsSum {
 public:
  // `by`: kMetricsBy... bits.
  MetricsSum(MetricsSpan span, std::optional<QueueNo> queue, std::optional<TypeNo> type, uint8_t by)
      : span_(span), queue_(queue), type_(type), by_(by) {}

  // Where its rows begin in the order of keys, and whether a row stands behind the last of them.
  MetricsKey first_key() const { return {span_.resolution, span_.from_ns, 0, 0}; }
  bool is_behind(const MetricsKey& key) const {
    return key.resolution != span_.resolution || key.start_ns >= span_.to_ns;
  }
  bool wants(const MetricsKey& key) const {
    return (!queue_ || key.queue == *queue_) && (!type_ || key.type == *type_);
  }
  void add(const MetricsKey& key, const MetricsRow& row);

  // First the sum of all; then queues, then types, `limit` of each, those with the most jobs first. `tables`
  // has the names.
  std::vector<MetricsInfo> parts(const Tables& tables, uint32_t limit, TimeNs now) const;

 private:
  MetricsSpan span_;
  std::optional<QueueNo> queue_;
  std::optional<TypeNo> type_;
  uint8_t by_;
  MetricsRow all_;
  std::map<QueueNo, MetricsRow> queues_;
  std::map<TypeNo, MetricsRow> types_;
};

}  // namespace pqd
