#include "tools/pqctl/metrics_json.h"

#include <gtest/gtest.h>

#include "tools/pqctl/json_text.h"

namespace pqd::ctl {
namespace {

MetricsInfo info_of(MetricsBy by, const std::string& name) {
  MetricsRow row;
  row.counts = {.submitted = 5, .completed = 3, .failed = 1, .cancelled = 1, .retried = 2};
  row.wait.add(4 * kMillisecondNs);
  MetricsInfo info = metrics_info(row);
  info.by = by;
  info.name = name;
  info.from_ns = 1'769'860'800 * kSecondNs;
  info.to_ns = info.from_ns + 60 * kSecondNs;
  return info;
}

TEST(MetricsJson, HasTheNamesOfHealthWhereItTellsTheSame) {
  EXPECT_EQ(
      json_text(metrics_json(info_of(MetricsBy::kType, "mail")), JsonStyle::kCompact),
      R"({"type":"mail","startDate":"2026-01-31T12:00:00.000Z","endDate":"2026-01-31T12:01:00.000Z",)"
      R"("resolution":"minute","submitted":5,"completed":3,"failed":1,"timedOut":0,"cancelled":1,"retried":2,)"
      R"("redriven":0,"throughputPerSecond":0.05,"successRate":0.75,"failureRate":0.25,"averageWaitTimeMs":4,)"
      R"("averageProcessingTimeMs":0,"waitTimeMs":{"count":1,"average":4,"p50":4,"p95":4,"p99":4,"max":4},)"
      R"("processingTimeMs":{"count":0,"average":0,"p50":0,"p95":0,"p99":0,"max":0}})");
}

TEST(MetricsJson, DetailedOneIsTheSumWithEachStatusTypeAndQueue) {
  std::vector<MetricsInfo> parts{info_of(MetricsBy::kAll, ""), info_of(MetricsBy::kQueue, "default"),
                                 info_of(MetricsBy::kType, "a"), info_of(MetricsBy::kType, "b")};
  auto object = detailed_metrics_json(parts);
  EXPECT_EQ(object.at("submitted"), 5);
  EXPECT_EQ(json_text(object.at("byStatus"), JsonStyle::kCompact),
            R"({"completed":3,"failed":1,"timeout":0,"cancelled":1})");
  EXPECT_EQ(object.at("byQueue").as_array().size(), 1u);
  EXPECT_EQ(object.at("byType").as_array().at(1).at("type"), "b");
  EXPECT_FALSE(object.contains("leftOut"));
  parts[0].left_out = 4;
  EXPECT_EQ(detailed_metrics_json(parts).at("leftOut"), 4);
}

}  // namespace
}  // namespace pqd::ctl
