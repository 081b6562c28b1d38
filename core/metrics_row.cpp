#include "core/metrics_row.h"

#include <iterator>

namespace pqd {
namespace {

void put_histogram(ByteWriter& writer, const Histogram& histogram) {
  Bytes bytes;
  histogram.encode(bytes);
  writer.blob(bytes);
}

}  // namespace

void MetricsRow::merge(const MetricsRow& other) {
  for (const auto count : kMetricsCounts) counts.*count += other.counts.*count;
  wait.merge(other.wait);
  processing.merge(other.processing);
}

Bytes encode(const MetricsRow& row) {
  Bytes out;
  ByteWriter writer(out);
  writer.varint(std::size(kMetricsCounts));
  for (const auto count : kMetricsCounts) writer.varint(row.counts.*count);
  put_histogram(writer, row.wait);
  put_histogram(writer, row.processing);
  return out;
}

std::optional<MetricsRow> decode_metrics_row(ByteView bytes) {
  MetricsRow row;
  ByteReader reader(bytes);
  const uint64_t counts = reader.varint();
  for (uint64_t i = 0; i < counts && !reader.failed(); ++i) {
    const uint64_t value = reader.varint();
    if (i < std::size(kMetricsCounts)) row.counts.*kMetricsCounts[i] = value;
  }
  const bool whole = row.wait.decode(reader.blob()) && row.processing.decode(reader.blob());
  if (!whole || reader.failed()) return std::nullopt;
  return row;
}

}  // namespace pqd
