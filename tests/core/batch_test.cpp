// Mode batch: jobs of a queue and type collect and are delivered together; each is settled on its own.
#include "core/explain.h"
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

BrokerOptions batches_of(uint32_t size, uint32_t interval_ms = 1'000) {
  BrokerOptions options;
  options.defaults.batch_size = size;
  options.defaults.batch_interval_ms = interval_ms;
  return options;
}

struct Batch : ::testing::Test {
  explicit Batch(BrokerOptions options = batches_of(3)) : d(std::move(options)) {}

  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();

  JobId submit(JobSpec spec = {}) {
    spec.mode = Mode::kBatch;
    return d.submit(producer, spec);
  }
  std::vector<JobId> submit_many(size_t count, const JobSpec& spec = {}) {
    std::vector<JobId> ids;
    for (size_t i = 0; i < count; ++i) ids.push_back(submit(spec));
    return ids;
  }
  static std::vector<JobId> ids_of(const std::vector<Delivered>& jobs) {
    std::vector<JobId> ids;
    for (const Delivered& job : jobs) ids.push_back(job.id);
    return ids;
  }
  // One whole batch of these jobs, in this order.
  static void expect_batch(const std::vector<Delivered>& jobs, const std::vector<JobId>& ids) {
    EXPECT_EQ(ids_of(jobs), ids);
    for (size_t i = 0; i < jobs.size(); ++i) {
      EXPECT_EQ(jobs[i].batch, jobs[0].batch);
      EXPECT_NE(jobs[i].batch, 0u);
      EXPECT_EQ(jobs[i].batch_last, i + 1 == jobs.size());
    }
  }
};

TEST_F(Batch, IsDeliveredToOneConsumerWhenItsSizeIsReached) {
  const SessionNo other = d.open();
  d.subscribe(consumer, 10);
  d.subscribe(other, 10);
  auto ids = submit_many(2);
  EXPECT_TRUE(d.take(consumer).empty());
  ids.push_back(submit());
  const auto to_one = d.take(consumer);
  const auto to_other = d.take(other);
  EXPECT_TRUE(to_one.empty() != to_other.empty());
  expect_batch(to_one.empty() ? to_other : to_one, ids);
}

TEST_F(Batch, IsDeliveredWhenItsIntervalHasPassedSinceTheFirst) {
  d.subscribe(consumer, 10);
  std::vector<JobId> ids{submit()};
  d.advance_ms(900);
  ids.push_back(submit());
  EXPECT_TRUE(d.take(consumer).empty());
  d.advance_ms(100);
  expect_batch(d.take(consumer), ids);
}

TEST_F(Batch, DefaultsAreAHundredJobsAndOneSecond) {
  Driver plain;
  const SessionNo session = plain.open();
  plain.subscribe(session, 10);
  std::vector<JobId> ids;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(plain.take(session).empty()) << i;
    ids.push_back(plain.submit(session, {.mode = Mode::kBatch}));
  }
  expect_batch(plain.take(session), ids);
  const JobId lonely = plain.submit(session, {.mode = Mode::kBatch});
  plain.advance_ms(999);
  EXPECT_TRUE(plain.take(session).empty());
  plain.advance_ms(1);
  expect_batch(plain.take(session), {lonely});
}

TEST_F(Batch, OfMoreThanItsSizeIsSeveral) {
  d.subscribe(consumer, 10);
  const auto ids = submit_many(7);
  const auto jobs = d.take(consumer);
  ASSERT_EQ(jobs.size(), 6u);
  EXPECT_NE(jobs[2].batch, jobs[3].batch);
  EXPECT_TRUE(jobs[2].batch_last && jobs[5].batch_last);
  d.advance_ms(1'000);
  expect_batch(d.take(consumer), {ids[6]});
}

TEST_F(Batch, OfAnAtomicSubmitIsFormedAtOnce) {
  d.subscribe(consumer, 10);
  const auto ids = d.submit_batch(producer, std::vector<JobSpec>(3, {.mode = Mode::kBatch}));
  expect_batch(d.take(consumer), ids);
}

TEST_F(Batch, HasOneQueueAndOneType) {
  d.subscribe(consumer, 10, {}, "default", 1);
  d.subscribe(consumer, 10, {}, "other", 2);
  submit({.type = "a"});
  submit({.type = "b"});
  submit({.queue = "other", .type = "a"});
  EXPECT_TRUE(d.take(consumer).empty());
  d.advance_ms(1'000);
  const auto jobs = d.take(consumer);
  ASSERT_EQ(jobs.size(), 3u);
  for (const Delivered& job : jobs) EXPECT_TRUE(job.batch_last);
}

TEST_F(Batch, IsMixedWithFifoAndPriorityJobsInOneQueue) {
  const JobId fifo = d.submit(producer, {.mode = Mode::kFifo});
  const auto ids = submit_many(3);
  const JobId later = d.submit(producer, {.mode = Mode::kFifo});
  const JobId urgent = d.submit(producer, {.priority = kPriorityHigh});
  d.subscribe(consumer, 10);
  EXPECT_EQ(ids_of(d.take(consumer)), (std::vector{urgent, fifo, ids[0], ids[1], ids[2], later}));
}

TEST_F(Batch, CountsOnceTowardsMaxActiveAndCredits) {
  BrokerOptions options = batches_of(3);
  options.defaults.max_active = 2;
  Driver small(options);
  const SessionNo from = small.open();
  const SessionNo to = small.open();
  small.subscribe(to, 2);
  for (int i = 0; i < 9; ++i) small.submit(from, {.mode = Mode::kBatch});
  auto jobs = small.take(to);
  ASSERT_EQ(jobs.size(), 6u) << "two batches";
  small.complete(to, jobs[0]);
  small.complete(to, jobs[1]);
  EXPECT_TRUE(small.take(to).empty()) << "one of its jobs is in hand still";
  small.complete(to, jobs[2]);
  EXPECT_EQ(small.take(to).size(), 3u);
}

TEST_F(Batch, EachJobIsSettledOnItsOwn) {
  d.subscribe(consumer, 10);
  const auto ids = submit_many(3);
  const auto jobs = d.take(consumer);
  d.complete(consumer, jobs[0], "done");
  d.fail(consumer, jobs[1], "broke", kFlagDoNotRetry);
  d.release(consumer, jobs[2]);
  EXPECT_EQ(d.core(ids[0]).state, JobState::kCompleted);
  EXPECT_EQ(d.core(ids[1]).state, JobState::kFailed);
  EXPECT_EQ(d.core(ids[2]).state, JobState::kPending);
  EXPECT_EQ(d.core(ids[2]).attempts, 0);
  d.advance_ms(1'000);
  expect_batch(d.take(consumer), {ids[2]});
}

TEST_F(Batch, OfADeadConsumerGoesBackJobByJobOnItsOwnTerms) {
  d.subscribe(consumer, 10);
  const JobId retried = submit({.max_attempts = 2});
  const JobId last = submit({.max_attempts = 1});
  const JobId once = submit({.delivery = Delivery::kAtMostOnce});
  ASSERT_EQ(d.take(consumer).size(), 3u);
  d.close(consumer);
  EXPECT_EQ(d.core(retried).pending, Pending::kBackoff);
  EXPECT_EQ(d.core(last).state, JobState::kFailed);
  EXPECT_EQ(d.core(last).reason, Reason::kConsumerDied);
  EXPECT_EQ(d.core(once).reason, Reason::kDeliveryLost);
  const SessionNo next = d.open();
  d.subscribe(next, 10);
  d.advance_ms(1'000);  // the backoff, then it collects again
  EXPECT_EQ(d.core(retried).pending, Pending::kCollecting);
  d.advance_ms(1'000);
  expect_batch(d.take(next), {retried});
}

TEST_F(Batch, WaitsForItsIntervalAnewAfterTheFirstWasCancelled) {
  d.subscribe(consumer, 10);
  const JobId first = submit();
  d.advance_ms(600);
  const JobId second = submit();
  d.command(producer, write_cancel(first, false));
  d.advance_ms(400);
  EXPECT_TRUE(d.take(consumer).empty());
  d.advance_ms(600);
  expect_batch(d.take(consumer), {second});
}

TEST_F(Batch, CollectingDoesNotCountTowardsTheQueueTimeout) {
  const JobId id = submit({.queue_timeout_ms = 500});
  d.advance_ms(1'000);
  EXPECT_EQ(d.core(id).pending, Pending::kReady);
  d.advance_ms(499);
  EXPECT_EQ(d.core(id).state, JobState::kPending);
  d.advance_ms(1);
  EXPECT_EQ(d.core(id).state, JobState::kTimeout);
}

TEST_F(Batch, JobThatTimedOutIsLeftOutOfIt) {
  const JobId gone = submit({.queue_timeout_ms = 500});
  const auto ids = submit_many(2);
  d.advance_ms(500);
  EXPECT_EQ(d.core(gone).state, JobState::kTimeout);
  d.subscribe(consumer, 10);
  expect_batch(d.take(consumer), ids);
}

TEST_F(Batch, CollectingJobsCountTowardsTheDepth) {
  BrokerOptions options = batches_of(10);
  options.defaults.max_depth = 2;
  options.defaults.admission_timeout_ms = 0;
  Driver small(options);
  const SessionNo from = small.open();
  small.submit(from, {.mode = Mode::kBatch});
  small.submit(from, {.mode = Mode::kBatch});
  EXPECT_EQ(small.refusal_of(small.submit(from)), Error::kQueueFull);
  EXPECT_EQ(queue_info(small.state, 0).collecting, 2u);
}

TEST_F(Batch, JobsWithOneOrderingKeyAreInDifferentOnes) {
  d.subscribe(consumer, 10);
  const JobId first = submit({.ordering_key = "k"});
  const JobId held = submit({.ordering_key = "k"});
  const JobId other = submit({.ordering_key = "o"});
  d.advance_ms(1'000);
  const auto jobs = d.take(consumer);
  expect_batch(jobs, {first, other});
  d.complete(consumer, jobs[0]);
  EXPECT_EQ(d.core(held).pending, Pending::kCollecting);
  d.advance_ms(1'000);
  expect_batch(d.take(consumer), {held});
}

TEST_F(Batch, DelayedJobCollectsWhenItsTimeHasCome) {
  d.subscribe(consumer, 10);
  const JobId id = submit({.delay_ms = 5'000});
  d.advance_ms(5'000);
  EXPECT_EQ(d.core(id).pending, Pending::kCollecting);
  d.advance_ms(1'000);
  expect_batch(d.take(consumer), {id});
}

TEST_F(Batch, GoesAlongWithItsConsumersSession) {
  d.subscribe(consumer, 1);
  const auto ids = submit_many(6);
  const auto seen = d.take(consumer);
  expect_batch(seen, {ids[0], ids[1], ids[2]});
  const SessionNo later = d.open();
  d.turn([&](CommitBuilder&) {
    EXPECT_TRUE(d.broker.resume_session(consumer, later, Driver::secret_of(consumer), seen[0].number));
  });
  d.subscribe(later, 1);
  const auto again = d.take(later);
  expect_batch(again, {ids[1], ids[2]});
  EXPECT_EQ(d.batch_ends, std::vector{later}) << "so that nobody waits for jobs that have gone elsewhere";
  d.complete(later, again[0]);
  d.complete(later, again[1]);
  EXPECT_TRUE(d.take(later).empty()) << "its first job is in hand still, and takes the credit";
  Delivered first = seen[0];
  EXPECT_EQ(d.complete(later, first), Error::kOk);
  expect_batch(d.take(later), {ids[3], ids[4], ids[5]});
}

TEST_F(Batch, ShorterIntervalCountsForThoseThatCollectAlready) {
  const JobId id = submit();
  QueueSettings settings = d.state.tables.queue(0).settings;
  settings.batch_interval_ms = 10;
  d.turn([&](CommitBuilder& commit) {
    const QueueConfigured event{0, settings};
    commit.add(TimePassed{d.now_ns});
    commit.add(event);
    d.state.apply(event);
  });
  d.advance_ms(10);
  EXPECT_EQ(d.core(id).pending, Pending::kReady);
}

TEST_F(Batch, ExplainSaysThatItsBatchIsNotCompleteAndWhenItWillBe) {
  submit();
  d.advance_ms(100);
  const JobId id = submit();
  const Explanation e = explain(d.state, d.state.jobs.find(id), {.sees_all = true});
  EXPECT_EQ(e.awaits, Awaits::kBatch);
  EXPECT_EQ(e.ahead, 1u);
  EXPECT_EQ(e.until_ns, d.now_ns + 900 * kMillisecondNs);
}

// Those that were released keep their places before it, and wait anew.
TEST_F(Batch, IsFormedForTheOneWhoseIntervalIsOverBehindAFullOne) {
  BrokerOptions options = batches_of(2);
  Driver small(options);
  const SessionNo from = small.open();
  const SessionNo to = small.open();
  small.subscribe(to, 1);
  for (int i = 0; i < 2; ++i) small.submit(from, {.mode = Mode::kBatch});
  const auto first = small.take(to);
  ASSERT_EQ(first.size(), 2u);
  const JobId waiting = small.submit(from, {.mode = Mode::kBatch});
  small.now_ns += kSecondNs;
  small.turn([&](CommitBuilder&) {
    for (const Delivered& job : first) {
      SettleHead head;
      head.head.kind = static_cast<uint8_t>(RecordKind::kRelease);
      head.token = job.token;
      head.id = job.id;
      small.broker.control(to, job.number, write_settle(head, {}));
    }
  });
  EXPECT_EQ(small.take(to).size(), 2u) << "the released ones, in their places";
  EXPECT_EQ(small.core(waiting).pending, Pending::kReady);
}

TEST_F(Batch, ExplainSaysWhenItIsFormedAlsoBehindAReleasedJob) {
  d.subscribe(consumer, 1);
  const JobId released = submit();
  d.advance_ms(1'000);
  const Delivered in_hand = d.take_one(consumer);
  const JobId second = submit();
  d.advance_ms(300);
  d.release(consumer, in_hand);  // keeps its place, and waits anew
  EXPECT_EQ(explain(d.state, d.state.jobs.find(second), {.sees_all = true}).ahead, 1u);
  for (const JobId& id : {released, second})
    EXPECT_EQ(explain(d.state, d.state.jobs.find(id), {.sees_all = true}).until_ns,
              d.now_ns + 700 * kMillisecondNs);
  d.advance_ms(700);
  expect_batch(d.take(consumer), {released, second});
}

}  // namespace
}  // namespace pqd::test
