#include "core/metrics_info.h"

#include <algorithm>
#include <iterator>

namespace pqd {
namespace {

TimesInfo times_of(const Histogram& times) {
  constexpr double kMs = kMillisecondNs;
  const auto percentile_ms = [&times](unsigned percent) {
    return static_cast<double>(times.percentile(percent)) / kMs;
  };
  return {times.count(),     times.average_ns() / kMs, percentile_ms(50),
          percentile_ms(95), percentile_ms(99),        static_cast<double>(times.max()) / kMs};
}

constexpr double TimesInfo::*kTimes[] = {&TimesInfo::average_ms, &TimesInfo::p50_ms, &TimesInfo::p95_ms,
                                         &TimesInfo::p99_ms, &TimesInfo::max_ms};

}  // namespace

MetricsInfo metrics_info(const MetricsRow& row) {
  MetricsInfo info;
  info.counts = row.counts;
  info.wait = times_of(row.wait);
  info.processing = times_of(row.processing);
  return info;
}

uint64_t weight(const MetricsRow& row) {
  return row.counts.submitted + row.wait.count() + row.counts.completed;
}

double success_rate(const MetricsCounts& counts) {
  const uint64_t ended = counts.completed + counts.failed + counts.timed_out;
  return ended == 0 ? 1 : static_cast<double>(counts.completed) / static_cast<double>(ended);
}

double throughput(const MetricsInfo& info) {
  if (info.to_ns <= info.from_ns) return 0;
  return static_cast<double>(info.counts.completed) * kSecondNs /
         static_cast<double>(info.to_ns - info.from_ns);
}

Bytes encode(const MetricsInfo& info) {
  Bytes out;
  ByteWriter writer(out);
  writer.pod(info.by);
  writer.pod(info.resolution);
  writer.text(info.name);
  writer.signed_varint(info.from_ns);
  writer.signed_varint(info.to_ns);
  writer.varint(info.left_out);
  for (const TimesInfo* times : {&info.wait, &info.processing}) {
    writer.varint(times->count);
    for (const auto field : kTimes) writer.pod(times->*field);
  }
  // With their number: there may be more in a later version.
  writer.varint(std::size(kMetricsCounts));
  for (const auto count : kMetricsCounts) writer.varint(info.counts.*count);
  writer.blob(info.row ? encode(*info.row) : Bytes());
  return out;
}

std::expected<MetricsInfo, Error> decode_metrics_info(ByteView body) {
  MetricsInfo info;
  ByteReader reader(body);
  info.by = reader.pod<MetricsBy>();
  info.resolution = reader.pod<MetricsResolution>();
  info.name = reader.text();
  info.from_ns = reader.signed_varint();
  info.to_ns = reader.signed_varint();
  info.left_out = static_cast<uint32_t>(reader.varint());
  for (TimesInfo* times : {&info.wait, &info.processing}) {
    times->count = reader.varint();
    for (const auto field : kTimes) times->*field = reader.pod<double>();
  }
  const uint64_t counts = reader.varint();
  for (uint64_t i = 0; i < counts && !reader.failed(); ++i) {
    const uint64_t value = reader.varint();
    if (i < std::size(kMetricsCounts)) info.counts.*kMetricsCounts[i] = value;
  }
  // An earlier version ends here.
  const ByteView row = reader.remaining() > 0 ? reader.blob() : ByteView();
  if (!row.empty()) info.row = decode_metrics_row(row);
  if (reader.failed() || info.row.has_value() == row.empty()) return std::unexpected(Error::kSystemError);
  return info;
}

}  // namespace pqd
