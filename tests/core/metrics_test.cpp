// What lives of jobs come to in the figures: per minute and hour, by queue and type.
#include "core/metrics_fold.h"

#include "tests/core/driver.h"
#include "tests/core/journal_figures.h"
#include "tests/support/metrics_recount.h"

namespace pqd::test {
namespace {

constexpr int64_t kMinuteMs = 60'000;

struct Metrics : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();
  SessionNo admin = d.open(kAdminUid);

  std::map<MetricsKey, MetricsRow> rows() {
    JournalFigures figures(1);
    for (const Commit& commit : d.commits) figures.add(*commit.entry, *commit.block_bytes);
    return figures.rows();
  }
  MetricsRow total(MetricsResolution resolution = MetricsResolution::kMinute) {
    MetricsRow sum;
    for (const auto& [key, row] : rows())
      if (key.resolution == resolution) sum.merge(row);
    return sum;
  }
};

TEST_F(Metrics, CompletedJobCountsWithItsWaitAndItsProcessing) {
  d.submit(producer);
  d.advance_ms(300);
  d.subscribe(consumer, 1);
  const Delivered job = d.take_one(consumer);
  d.advance_ms(2'000);
  d.complete(consumer, job);
  const MetricsRow row = total();
  EXPECT_EQ(row.counts, (MetricsCounts{.submitted = 1, .completed = 1}));
  EXPECT_EQ(row.wait.count(), 1u);
  EXPECT_EQ(row.wait.max(), 300'000'000u);
  EXPECT_EQ(row.processing.count(), 1u);
  EXPECT_EQ(row.processing.max(), 2'000'000'000u);
  EXPECT_TRUE(total(MetricsResolution::kHour) == row);
}

TEST_F(Metrics, RetriesWaitAnewAndBackoffIsNoWait) {
  d.submit(producer, {.max_attempts = 2, .backoff_first_ms = 5'000});
  d.subscribe(consumer, 1);
  d.fail(consumer, d.take_one(consumer));
  d.advance_ms(5'000);
  d.fail(consumer, d.take_one(consumer));
  const MetricsRow row = total();
  EXPECT_EQ(row.counts, (MetricsCounts{.submitted = 1, .failed = 1, .retried = 1}));
  EXPECT_EQ(row.wait.count(), 2u);
  EXPECT_EQ(row.wait.max(), 0u);
  EXPECT_EQ(row.processing.count(), 0u) << "of attempts that completed only, as in health";
}

TEST_F(Metrics, TimeoutsCancellationsAndNewLivesCountEachForItself) {
  d.submit(producer, {.queue_timeout_ms = 1'000});
  const JobId cancelled = d.submit(producer);
  EXPECT_EQ(d.command(producer, write_cancel(cancelled, false)), Error::kOk);
  d.advance_ms(1'000);
  EXPECT_EQ(total().counts, (MetricsCounts{.submitted = 2, .timed_out = 1, .cancelled = 1}));
  const JobId dead = d.submit(producer);
  d.subscribe(consumer, 1);
  d.fail(consumer, d.take_one(consumer), "broke", kFlagDoNotRetry);
  EXPECT_EQ(d.command(admin, write_redrive(dead)), Error::kOk);
  d.complete(consumer, d.take_one(consumer));
  EXPECT_EQ(total().counts,
            (MetricsCounts{
                .submitted = 3, .completed = 1, .failed = 1, .timed_out = 1, .cancelled = 1, .redriven = 1}));
}

TEST_F(Metrics, ReleasedJobWaitsAnew) {
  d.submit(producer);
  d.subscribe(consumer, 1);
  const Delivered job = d.take_one(consumer);
  d.advance_ms(700);
  d.release(consumer, job);
  d.complete(consumer, d.take_one(consumer));
  EXPECT_EQ(total().counts, (MetricsCounts{.submitted = 1, .completed = 1}));
  EXPECT_EQ(total().wait.count(), 2u);
  EXPECT_EQ(total().processing.max(), 0u);
}

TEST_F(Metrics, JobsOfABatchCountOneByOneAndCollectingIsNoWait) {
  d.submit(producer, {.mode = Mode::kBatch});
  d.submit(producer, {.mode = Mode::kBatch});
  d.subscribe(consumer, 1);
  d.advance_ms(1'000);
  for (const Delivered& job : d.take(consumer)) d.complete(consumer, job);
  EXPECT_EQ(total().counts, (MetricsCounts{.submitted = 2, .completed = 2}));
  EXPECT_EQ(total().wait.count(), 2u);
  EXPECT_EQ(total().wait.max(), 0u);
}

TEST_F(Metrics, EachMinuteHourQueueAndTypeHasARow) {
  d.submit(producer);
  d.submit(producer, {.queue = "other"});
  d.submit(producer, {.type = "letter"});
  d.advance_ms(kMinuteMs);
  d.submit(producer);
  d.advance_ms(60 * kMinuteMs);
  d.submit(producer);
  const auto all = rows();
  size_t minutes = 0;
  for (const auto& [key, row] : all) {
    EXPECT_EQ(key.start_ns % length_of(key.resolution), 0);
    minutes += key.resolution == MetricsResolution::kMinute ? 1u : 0u;
  }
  EXPECT_EQ(minutes, 5u);
  EXPECT_EQ(all.size() - minutes, 4u);
}

TEST_F(Metrics, JobsOfDurabilityMemoryCountInNone) {
  d.submit(producer, {.durability = Durability::kMemory});
  d.subscribe(consumer, 1);
  d.complete(consumer, d.take_one(consumer));
  EXPECT_TRUE(rows().empty());
}

struct MetricsOfAFullQueue : ::testing::Test {
  static BrokerOptions one_job() {
    BrokerOptions options;
    options.defaults.max_depth = 1;
    return options;
  }
  Driver d{one_job()};
};

TEST_F(MetricsOfAFullQueue, SubmitCountsOnceItIsAJobAndNotWhenItIsRefused) {
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  d.submit(producer);
  d.submit(producer);  // waits for room, and finds it
  d.submit(producer);  // waits in vain
  d.subscribe(consumer, 1);
  d.complete(consumer, d.take_one(consumer));
  d.advance_ms(10'000);
  MetricsRecount recount;
  for (const Commit& commit : d.commits) recount.add(*commit.entry);
  EXPECT_EQ(recount.total().counts, (MetricsCounts{.submitted = 2, .completed = 1}));
}

TEST(MetricsFoldTest, KeepsRowsOfMorePairsThanItRemembers) {
  MetricsFold fold;
  std::map<MetricsKey, MetricsRow> store;
  const auto stored = [&store](const MetricsKey& key) {
    const auto at = store.find(key);
    return at == store.end() ? std::nullopt : std::optional(at->second);
  };
  constexpr auto kPairs = static_cast<TypeNo>(limits::kMetricsLinesMax + 100);
  for (int round = 0; round < 3; ++round) {
    for (TypeNo type = 0; type < kPairs; ++type)
      fold.count(1, type, {&MetricsCounts::submitted}, kStartNs, stored);
    if (round == 1)
      for (const auto& [key, bytes] : fold.take()) store[key] = decode_metrics_row(bytes).value();
  }
  for (const auto& [key, bytes] : fold.take()) store[key] = decode_metrics_row(bytes).value();
  EXPECT_EQ(store.size(), 2 * kPairs);
  for (const auto& [key, row] : store) ASSERT_EQ(row.counts.submitted, 3u) << key.type;
}

TEST(MetricsFoldTest, TakesOutWhatChangedAndNothingElse) {
  MetricsFold fold;
  const auto none = [](const MetricsKey&) { return std::optional<MetricsRow>(); };
  fold.count(0, 1, {&MetricsCounts::submitted}, kStartNs, none);
  EXPECT_EQ(fold.take().size(), 2u);
  EXPECT_TRUE(fold.take().empty());
  EXPECT_EQ(fold.changed_bytes(), 0u);
  fold.count(0, 2, {&MetricsCounts::submitted}, kStartNs, none);
  const auto rows = fold.take();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].first.type, 2u);
}

TEST(MetricsRowTest, ComesBackFromItsBytesAndFromThoseOfALaterVersion) {
  MetricsRow row;
  row.counts = {1, 2, 300, 4, 5, 6, 7};
  row.wait.add(12'345);
  row.processing.add(99);
  const Bytes bytes = encode(row);
  EXPECT_TRUE(decode_metrics_row(bytes) == row);
  EXPECT_FALSE(decode_metrics_row(ByteView(bytes).first(bytes.size() - 1)));
  Bytes later = bytes;
  later.push_back(std::byte{9});
  EXPECT_TRUE(decode_metrics_row(later) == row);
}

}  // namespace
}  // namespace pqd::test
