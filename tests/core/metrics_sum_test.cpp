// Which rows a question about figures is about, and what it is answered with.
#include "core/metrics_sum.h"

#include <gtest/gtest.h>

#include "core/tables.h"

namespace pqd {
namespace {

constexpr TimeNs kMinute = length_of(MetricsResolution::kMinute);
constexpr TimeNs kHour = length_of(MetricsResolution::kHour);
// A minute and a second into an hour.
constexpr TimeNs kNow = start_of(MetricsResolution::kHour, 1'800'000'000 * kSecondNs) + kMinute + kSecondNs;

int64_t ms_before(TimeNs ago) { return (kNow - ago) / kMillisecondNs; }

TEST(MetricsSpan, IsMinutesForTheLast24HoursAndHoursBeforeThem) {
  const auto day = metrics_span(ms_before(24 * kHour), 0, kNow);
  ASSERT_TRUE(day);
  EXPECT_EQ(day->resolution, MetricsResolution::kMinute);
  EXPECT_EQ(day->from_ns, start_of(MetricsResolution::kMinute, kNow - 24 * kHour));
  EXPECT_EQ(day->to_ns, kNow - kSecondNs + kMinute);
  const auto more = metrics_span(ms_before(25 * kHour), ms_before(20 * kHour), kNow);
  ASSERT_TRUE(more);
  EXPECT_EQ(more->resolution, MetricsResolution::kHour);
  EXPECT_EQ(more->from_ns, start_of(MetricsResolution::kHour, kNow - 25 * kHour));
  EXPECT_EQ(more->to_ns, start_of(MetricsResolution::kHour, kNow - 20 * kHour) + kHour);
}

TEST(MetricsSpan, AskedForALittleLateTheLastDayIsStillMinutes) {
  EXPECT_EQ(metrics_span(ms_before(24 * kHour + kMinute / 2), 0, kNow)->resolution,
            MetricsResolution::kMinute);
}

TEST(MetricsSpan, IsCutToThatForWhichThereAreFigures) {
  const auto all = metrics_span(0, 0, kNow);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->from_ns, start_of(MetricsResolution::kHour, kNow - limits::kMetricsHoursNs));
  EXPECT_EQ(metrics_span(1, INT64_MAX, kNow)->to_ns, all->to_ns) << "not beyond the hour that it is";
}

TEST(MetricsSpan, EndsWithTheMinuteBeforeOneThatIsNoPartOfIt) {
  const int64_t whole_ms = (kNow - kSecondNs - kMinute) / kMillisecondNs;
  EXPECT_EQ(metrics_span(ms_before(kHour), whole_ms, kNow)->to_ns, whole_ms * kMillisecondNs);
}

TEST(MetricsSpan, OfWhichNothingCanBeThereIsRefused) {
  EXPECT_FALSE(metrics_span(ms_before(kHour), ms_before(2 * kHour), kNow));
  EXPECT_FALSE(metrics_span(ms_before(kHour), ms_before(kHour), kNow));
  EXPECT_FALSE(metrics_span(ms_before(-kHour), 0, kNow));
  EXPECT_FALSE(metrics_span(0, ms_before(limits::kMetricsHoursNs + kHour), kNow));
}

struct MetricsSumTest : ::testing::Test {
  MetricsSumTest() {
    for (const char* name : {"default", "mail", "rare"}) {
      tables.apply(QueueCreated{static_cast<QueueNo>(tables.queue_count()), name, {}});
      tables.apply(TypeNamed{static_cast<TypeNo>(tables.type_count()), std::string("of ") + name});
    }
  }
  static MetricsRow row(uint64_t submitted, uint64_t wait_ns) {
    MetricsRow made;
    made.counts.submitted = submitted;
    made.wait.add(wait_ns);
    return made;
  }
  static MetricsKey key(QueueNo queue, TypeNo type, TimeNs start = kNow / kHour * kHour) {
    return {MetricsResolution::kMinute, start, queue, type};
  }
  Tables tables;
  MetricsSpan span = metrics_span(ms_before(kHour), 0, kNow).value();
};

TEST_F(MetricsSumTest, AddsUpAllAndEachQueueAndType) {
  MetricsSum sum(span, {}, {}, kMetricsByQueue | kMetricsByType);
  sum.add(key(0, 0), row(1, 1'000'000));
  sum.add(key(1, 0), row(5, 3'000'000));
  sum.add(key(1, 1), row(2, 2'000'000));
  const auto parts = sum.parts(tables, 10, kNow);
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[0].counts.submitted, 8u);
  EXPECT_DOUBLE_EQ(parts[0].wait.average_ms, 2);
  EXPECT_DOUBLE_EQ(parts[0].wait.max_ms, 3);
  EXPECT_NEAR(parts[0].wait.p50_ms, 2, 2.0 / 16);
  EXPECT_EQ(parts[1].name, "mail");
  EXPECT_EQ(parts[1].counts.submitted, 7u);
  EXPECT_EQ(parts[2].name, "default");
  EXPECT_EQ(parts[3].name, "of default");
  EXPECT_EQ(parts[3].by, MetricsBy::kType);
  EXPECT_EQ(parts[3].counts.submitted, 6u);
  for (const MetricsInfo& part : parts) {
    EXPECT_EQ(part.to_ns, kNow) << "not beyond now";
    EXPECT_EQ(part.from_ns, span.from_ns);
  }
}

TEST_F(MetricsSumTest, BringsTheRowsAlongWhenAskedTo) {
  for (const uint8_t rows : {uint8_t{0}, kMetricsRows}) {
    MetricsSum sum(span, {}, {}, kMetricsByQueue | kMetricsByType | rows);
    sum.add(key(0, 0), row(1, 1'000'000));
    for (const MetricsInfo& part : sum.parts(tables, 10, kNow)) {
      ASSERT_EQ(part.row.has_value(), rows != 0);
      if (part.row) {
        EXPECT_EQ(*part.row, row(1, 1'000'000));
      }
    }
  }
}

TEST_F(MetricsSumTest, WantsItsQueueItsTypeAndItsTimeOnly) {
  const MetricsSum sum(span, 1, 2, 0);
  EXPECT_TRUE(sum.wants(key(1, 2)));
  EXPECT_FALSE(sum.wants(key(0, 2)));
  EXPECT_FALSE(sum.wants(key(1, 1)));
  EXPECT_FALSE(sum.is_behind(key(1, 2)));
  EXPECT_TRUE(sum.is_behind(key(0, 0, span.to_ns)));
  EXPECT_TRUE(sum.is_behind({MetricsResolution::kHour, span.from_ns, 1, 2}));
}

TEST_F(MetricsSumTest, LeavesOutWhatWeighsLeastAndSaysHowMany) {
  MetricsSum sum(span, {}, {}, kMetricsByQueue);
  sum.add(key(0, 0), row(2, 1));
  sum.add(key(1, 0), row(3, 1));
  sum.add(key(2, 0), row(1, 1));
  const auto parts = sum.parts(tables, 2, kNow);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].left_out, 1u);
  EXPECT_EQ(parts[0].counts.submitted, 6u) << "the sum is of all";
  EXPECT_EQ(parts[1].name, "mail");
  EXPECT_EQ(parts[2].name, "default");
}

TEST(MetricsInfoTest, ComesBackFromItsBytesAndFromThoseOfALaterVersion) {
  MetricsRow row;
  row.counts = {1, 2, 3, 4, 5, 6, 7};
  row.wait.add(5'000'000);
  MetricsInfo info = metrics_info(row);
  info.by = MetricsBy::kType;
  info.name = "mail";
  info.from_ns = 7;
  info.to_ns = 9;
  info.left_out = 3;
  Bytes bytes = encode(info);
  EXPECT_FALSE(decode_metrics_info(ByteView(bytes).first(bytes.size() - 2)));
  EXPECT_TRUE(decode_metrics_info(ByteView(bytes).first(bytes.size() - 1))) << "of an earlier version";
  bytes.push_back(std::byte{1});
  const auto back = decode_metrics_info(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->by, info.by);
  EXPECT_EQ(back->name, info.name);
  EXPECT_EQ(back->from_ns, 7);
  EXPECT_EQ(back->to_ns, 9);
  EXPECT_EQ(back->left_out, 3u);
  EXPECT_EQ(back->counts, info.counts);
  EXPECT_EQ(back->wait.count, 1u);
  EXPECT_EQ(back->wait.average_ms, 5);
  EXPECT_EQ(back->processing.count, 0u);
  EXPECT_FALSE(back->row);
}

TEST(MetricsInfoTest, BringsItsRowWhenItHasOne) {
  MetricsRow row;
  row.counts.completed = 2;
  row.processing.add(7'000'000);
  MetricsInfo info = metrics_info(row);
  info.row = row;
  Bytes bytes = encode(info);
  EXPECT_EQ(decode_metrics_info(bytes)->row, row);
  bytes.pop_back();
  EXPECT_FALSE(decode_metrics_info(bytes));
}

TEST(MetricsInfoTest, RatesAreOfWhatEndedAndOfTheTimeCovered) {
  MetricsInfo info;
  EXPECT_EQ(success_rate(info.counts), 1) << "nothing failed";
  EXPECT_EQ(throughput(info), 0);
  info.counts = {.submitted = 9, .completed = 6, .failed = 1, .timed_out = 1, .cancelled = 5};
  info.to_ns = 3 * kSecondNs;
  EXPECT_DOUBLE_EQ(success_rate(info.counts), 0.75) << "cancelled is neither";
  EXPECT_DOUBLE_EQ(throughput(info), 2);
}

}  // namespace
}  // namespace pqd
