// Ordering keys: jobs of one key run one at a time, in order, retries included.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct OrderingKey : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();

  JobId submit(const std::string& key, JobSpec spec = {}) {
    spec.ordering_key = key;
    return d.submit(producer, spec);
  }
};

TEST_F(OrderingKey, JobsOfOneKeyRunOneAtATimeInOrder) {
  d.subscribe(consumer, 10);
  const JobId first = submit("k");
  const JobId second = submit("k");
  const JobId third = submit("k");
  for (const JobId& id : {first, second, third}) {
    const Delivered job = d.take_one(consumer);
    EXPECT_EQ(job.id, id);
    d.complete(consumer, job);
  }
  EXPECT_EQ(queue_info(d.state, 0).held, 0u);
}

TEST_F(OrderingKey, OtherKeysAndJobsWithoutOneGoOnMeanwhile) {
  d.subscribe(consumer, 10);
  submit("a");
  submit("a");
  const JobId other = submit("b");
  const JobId none = submit("");
  const std::vector<Delivered> jobs = d.take(consumer);
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(jobs[1].id, other);
  EXPECT_EQ(jobs[2].id, none);
}

TEST_F(OrderingKey, AnUrgentJobDoesNotOvertakeItsKey) {
  const JobId low = submit("k", {.priority = 1});
  submit("k", {.priority = 20});
  d.subscribe(consumer, 10);
  EXPECT_EQ(d.take_one(consumer).id, low);
}

TEST_F(OrderingKey, AFailingJobHoldsItsSuccessorsBackUntilItIsSettledForGood) {
  d.subscribe(consumer, 10);
  const JobId failing = submit("k", {.max_attempts = 2});
  const JobId next = submit("k");
  d.fail(consumer, d.take_one(consumer));
  d.advance_ms(500);
  EXPECT_TRUE(d.take(consumer).empty()) << "it backs off, and its key with it";
  d.advance_ms(500);
  const Delivered again = d.take_one(consumer);
  EXPECT_EQ(again.id, failing);
  EXPECT_EQ(again.attempt, 2);
  d.fail(consumer, again);
  EXPECT_EQ(d.core(failing).state, JobState::kFailed);
  EXPECT_EQ(d.take_one(consumer).id, next);
}

TEST_F(OrderingKey, ADeadConsumersJobKeepsItsTurn) {
  d.subscribe(consumer, 10);
  const JobId first = submit("k");
  submit("k");
  d.take_one(consumer);
  d.close(consumer);
  const SessionNo other = d.open();
  d.subscribe(other, 10);
  d.advance_ms(1'000);
  EXPECT_EQ(d.take_one(other).id, first);
}

TEST_F(OrderingKey, WaitingForItsTurnDoesNotCountTowardsTheQueueTimeout) {
  d.subscribe(consumer, 10);
  submit("k");
  const JobId next = submit("k", {.queue_timeout_ms = 1'000});
  const Delivered first = d.take_one(consumer);
  d.advance_ms(30'000);
  EXPECT_EQ(d.core(next).state, JobState::kPending);
  EXPECT_EQ(d.core(next).pending, Pending::kHeld);
  d.complete(consumer, first);
  EXPECT_EQ(d.take_one(consumer).id, next);
}

TEST_F(OrderingKey, ACancelledOrTimedOutJobMakesWay) {
  const JobId timing_out = submit("k", {.queue_timeout_ms = 1'000});
  const JobId cancelled = submit("k");
  const JobId last = submit("k");
  d.advance_ms(1'000);
  EXPECT_EQ(d.core(timing_out).state, JobState::kTimeout);
  EXPECT_EQ(d.core(cancelled).pending, Pending::kReady);
  EXPECT_EQ(d.core(last).pending, Pending::kHeld);
  EXPECT_EQ(d.command(producer, write_cancel(cancelled, false)), Error::kOk);
  EXPECT_EQ(d.core(last).pending, Pending::kReady);
}

TEST_F(OrderingKey, ACancelledJobInTheMiddleLeavesTheOrderOfTheOthers) {
  d.subscribe(consumer, 10);
  submit("k");
  const JobId middle = submit("k");
  const JobId last = submit("k");
  const Delivered first = d.take_one(consumer);
  EXPECT_EQ(d.command(producer, write_cancel(middle, false)), Error::kOk);
  EXPECT_TRUE(d.take(consumer).empty());
  d.complete(consumer, first);
  EXPECT_EQ(d.take_one(consumer).id, last);
}

TEST_F(OrderingKey, ADelayedJobHoldsItsKeyAndAHeldOneStillWaitsForItsTime) {
  d.subscribe(consumer, 10);
  const JobId delayed = submit("k", {.delay_ms = 5'000});
  const JobId later = submit("k", {.delay_ms = 8'000});
  EXPECT_TRUE(d.take(consumer).empty());
  d.advance_ms(5'000);
  const Delivered first = d.take_one(consumer);
  EXPECT_EQ(first.id, delayed);
  d.complete(consumer, first);
  EXPECT_TRUE(d.take(consumer).empty());
  d.advance_ms(3'000);
  EXPECT_EQ(d.take_one(consumer).id, later);
}

TEST_F(OrderingKey, AnAtomicSubmitOfOneKeyKeepsItsOrder) {
  d.subscribe(consumer, 10);
  const auto ids =
      d.submit_batch(producer, {{.ordering_key = "k"}, {.ordering_key = "k"}, {.ordering_key = "k"}});
  for (const JobId& id : ids) {
    const Delivered job = d.take_one(consumer);
    EXPECT_EQ(job.id, id);
    d.complete(consumer, job);
  }
}

TEST_F(OrderingKey, ARedrivenJobGoesBehindThoseThatCameMeanwhile) {
  const SessionNo admin = d.open(kAdminUid);
  d.subscribe(consumer, 10);
  const JobId dead = submit("k");
  d.fail(consumer, d.take_one(consumer), "no", kFlagDoNotRetry);
  const JobId running = submit("k");
  const Delivered job = d.take_one(consumer);
  EXPECT_EQ(job.id, running);
  ASSERT_EQ(d.command(admin, write_redrive(dead)), Error::kOk);
  EXPECT_TRUE(d.take(consumer).empty());
  d.complete(consumer, job);
  EXPECT_EQ(d.take_one(consumer).id, dead);
}

TEST_F(OrderingKey, KeysOfDifferentQueuesHaveNothingToDoWithEachOther) {
  d.subscribe(consumer, 10, {}, "a", 1);
  d.subscribe(consumer, 10, {}, "b", 2);
  submit("k", {.queue = "a"});
  submit("k", {.queue = "b"});
  EXPECT_EQ(d.take(consumer).size(), 2u);
}

TEST_F(OrderingKey, ASubmitThatWaitsForRoomTakesItsPlaceWhenItIsAdmitted) {
  BrokerOptions options;
  options.defaults.max_depth = 1;
  Driver small(options);
  const SessionNo from = small.open();
  const SessionNo to = small.open();
  small.subscribe(to, 10);
  const JobId first = small.submit(from, {.ordering_key = "k"});
  const JobId parked = small.submit(from, {.ordering_key = "k"});
  EXPECT_EQ(small.core(parked).pending, Pending::kParked);
  const Delivered job = small.take_one(to);
  EXPECT_EQ(job.id, first);
  small.complete(to, job);
  EXPECT_EQ(small.take_one(to).id, parked);
}

TEST(OrderingKeyOfAFullQueue, UrgentSubmitIsNotAdmittedBeforeItsKey) {
  BrokerOptions options;
  options.defaults = {.max_depth = 1};
  Driver d(std::move(options));
  const SessionNo from = d.open();
  const SessionNo to = d.open();
  d.subscribe(to, 10);
  d.submit(from);
  const JobId low = d.submit(from, {.priority = 1, .ordering_key = "k"});
  const JobId urgent = d.submit(from, {.priority = 20, .ordering_key = "k"});
  const JobId other = d.submit(from, {.priority = 10, .ordering_key = "other"});
  for (const JobId& id : {other, low, urgent}) {
    d.complete(to, d.take_one(to));
    EXPECT_EQ(d.core(id).state, JobState::kAssigned);
  }
}

// The dead letter's new life comes after what was submitted before it, even if that is not in the queue yet.
TEST(OrderingKeyOfAFullQueue, RedrivenJobStandsBehindASubmitThatWaitsForRoom) {
  BrokerOptions options;
  options.defaults = {.max_depth = 1, .admission_timeout_ms = 1'000};
  Driver d(std::move(options));
  const SessionNo admin = d.open(kAdminUid);
  const SessionNo to = d.open();
  const JobId dead = d.submit(admin, {.max_attempts = 1, .ordering_key = "k"});
  d.subscribe(to, 10);
  d.fail(to, d.take_one(to));
  d.submit(admin);
  const Delivered in_the_way = d.take_one(to);
  const JobId waiting = d.submit(admin, {.ordering_key = "k"});
  EXPECT_EQ(d.command(admin, write_redrive(dead)), Error::kOk);
  EXPECT_EQ(d.core(dead).pending, Pending::kHeld);
  d.advance_ms(1'000);
  EXPECT_EQ(d.refusal_of(waiting), Error::kQueueFull);
  EXPECT_EQ(d.take_one(to).id, dead) << "nothing stands before it any more";
  d.complete(to, in_the_way);
}

}  // namespace
}  // namespace pqd::test
