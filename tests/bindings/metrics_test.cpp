// Figures as a client asks for them: over the real daemon, its checkpoints and its deaths.
#include "tests/bindings/fixtures.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class Figures : public WithClient {
 protected:
  std::vector<MetricsInfo> ask(const MetricsQuery& query) {
    const auto parts = client().metrics(query);
    EXPECT_EQ(error_of(parts), Error::kOk) << text_of(parts);
    return parts.value_or(std::vector<MetricsInfo>(1));
  }
  // They are answered from the store, which the next checkpoint brings up to date.
  ::testing::AssertionResult come_to(const MetricsCounts& wanted, const MetricsQuery& query = {}) {
    MetricsInfo last;
    if (eventually([&] { return (last = ask(query).front()).counts == wanted; }))
      return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure()
           << last.counts.submitted << " submitted, " << last.counts.completed << " completed, "
           << last.counts.failed << " failed, " << last.counts.cancelled << " cancelled";
  }
  // One that completes, one that fails for good, one that is cancelled.
  void lives() {
    submit({.type = "good"});
    submit({.type = "bad", .queue = "other"});
    EXPECT_TRUE(client().cancel(submit({.type = "unwanted"})));
    const auto good = client().subscribe({.types = {"good"}});
    EXPECT_EQ(decided(client(), client().complete(take(client()))), Error::kOk);
    EXPECT_TRUE(client().unsubscribe(*good));
    const auto bad = client().subscribe({.queue = "other", .types = {"bad"}});
    EXPECT_EQ(decided(client(), client().fail(take(client()), "no good", false)), Error::kOk);
    EXPECT_TRUE(client().unsubscribe(*bad));
  }
  static constexpr MetricsCounts kLives{.submitted = 3, .completed = 1, .failed = 1, .cancelled = 1};
};

TEST_F(Figures, TellWhatBecameOfJobsByQueueAndByType) {
  lives();
  ASSERT_TRUE(come_to(kLives));
  const auto parts = ask({.by_queue = true, .by_type = true});
  ASSERT_EQ(parts.size(), 1 + 2 + 3u);
  EXPECT_EQ(parts[0].by, MetricsBy::kAll);
  EXPECT_EQ(parts[0].wait.count, 2u);
  EXPECT_EQ(parts[0].processing.count, 1u);
  EXPECT_DOUBLE_EQ(success_rate(parts[0].counts), 0.5);
  EXPECT_GT(throughput(parts[0]), 0);
  std::map<std::string, MetricsCounts> counts;
  for (size_t i = 1; i < parts.size(); ++i) {
    EXPECT_EQ(parts[i].by, i <= 2 ? MetricsBy::kQueue : MetricsBy::kType);
    counts[parts[i].name] = parts[i].counts;
  }
  EXPECT_EQ(counts["default"], (MetricsCounts{.submitted = 2, .completed = 1, .cancelled = 1}));
  EXPECT_EQ(counts["other"], (MetricsCounts{.submitted = 1, .failed = 1}));
  EXPECT_EQ(counts["good"], (MetricsCounts{.submitted = 1, .completed = 1}));
  EXPECT_EQ(ask({.queue = "other"}).front().counts, counts["other"]);
  EXPECT_EQ(ask({.type = "unwanted"}).front().counts, (MetricsCounts{.submitted = 1, .cancelled = 1}));
}

TEST_F(Figures, OutliveTheEngineAndTheWholeDaemonAndCountNothingTwice) {
  lives();
  daemon_.kill_engine();
  lives();
  MetricsCounts twice = kLives;
  for (const auto count : kMetricsCounts) twice.*count *= 2;
  ASSERT_TRUE(come_to(twice));
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  EXPECT_EQ(ask({}).front().counts, twice);
  EXPECT_EQ(ask({.since_ms = 1}).front().wait.count, 4u);
}

TEST_F(Figures, SayWhichTimeTheyReallyCover) {
  lives();
  ASSERT_TRUE(come_to(kLives));
  const int64_t now_ms = ask({}).front().to_ns / kMillisecondNs;
  const MetricsInfo minutes = ask({.since_ms = now_ms - 3'600'000}).front();
  EXPECT_EQ(minutes.resolution, MetricsResolution::kMinute);
  EXPECT_EQ(minutes.from_ns, start_of(MetricsResolution::kMinute, (now_ms - 3'600'000) * kMillisecondNs));
  EXPECT_EQ(minutes.counts, kLives);
  const MetricsInfo hours = ask({.since_ms = now_ms - 48 * 3'600'000}).front();
  EXPECT_EQ(hours.resolution, MetricsResolution::kHour);
  EXPECT_EQ(hours.from_ns % length_of(MetricsResolution::kHour), 0);
  EXPECT_EQ(hours.counts, kLives);
  EXPECT_EQ(ask({.since_ms = 1, .until_ms = now_ms - 7'200'000}).front().counts, MetricsCounts{});
}

TEST_F(Figures, LeaveOutTheLeastBusyBeyondTheLimitAndSaySo) {
  for (const std::string type : {"a", "b", "b", "c", "c", "c"}) submit({.type = type});
  ASSERT_TRUE(come_to({.submitted = 6}));
  const auto parts = ask({.by_type = true, .limit = 2});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].left_out, 1u);
  EXPECT_EQ(parts[1].name, "c");
  EXPECT_EQ(parts[2].name, "b");
}

TEST_F(Figures, RefuseQuestionsThatHaveNoAnswer) {
  EXPECT_EQ(error_of(client().metrics({.since_ms = 2, .until_ms = 1})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().metrics({.since_ms = limits::kUnixMsMax})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().metrics({.until_ms = 1'000'000'000'000})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().metrics({.queue = "nowhere"})), Error::kNotFound);
  EXPECT_EQ(error_of(client().metrics({.type = "never"})), Error::kNotFound);
  EXPECT_EQ(error_of(client().metrics({.queue = "no name"})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().metrics({.limit = 0})), Error::kInvalidRequest);
}

TEST_F(Figures, LeaveOutJobsOfDurabilityMemory) {
  submit({.type = "light", .durability = Durability::kMemory});
  submit({.type = "kept"});
  ASSERT_TRUE(come_to({.submitted = 1}));
}

}  // namespace
}  // namespace pqd::test
