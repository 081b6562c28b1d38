#include "tests/core/driver.h"

namespace pqd::test {
namespace {

std::vector<JobId> ids_of(const std::vector<Delivered>& list) {
  std::vector<JobId> ids;
  for (const Delivered& job : list) ids.push_back(job.id);
  return ids;
}

TEST(Order, FifoJobsGoInTheOrderOfTheirArrival) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  JobSpec low{.mode = Mode::kFifo, .priority = 1};
  JobSpec critical{.mode = Mode::kFifo, .priority = 20};
  const JobId first = d.submit(producer, low);
  const JobId second = d.submit(producer, critical);
  d.subscribe(consumer, 2);
  EXPECT_EQ(ids_of(d.take(consumer)), (std::vector{first, second})) << "a fifo job's priority ranks nothing";
}

TEST(Order, PriorityJobsGoByPriorityThenArrival) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  const JobId normal_one = d.submit(producer, {.priority = 5});
  const JobId low = d.submit(producer, {.priority = 1});
  const JobId critical = d.submit(producer, {.priority = 20});
  const JobId normal_two = d.submit(producer, {.priority = 5});
  const JobId nine = d.submit(producer, {.priority = 9});
  d.subscribe(consumer, 5);
  EXPECT_EQ(ids_of(d.take(consumer)), (std::vector{critical, nine, normal_one, normal_two, low}));
}

TEST(Order, FifoJobsRankAsNormalAmongPriorityJobs) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  const JobId fifo = d.submit(producer, {.mode = Mode::kFifo, .priority = 1});
  const JobId four = d.submit(producer, {.priority = 4});
  const JobId six = d.submit(producer, {.priority = 6});
  d.subscribe(consumer, 3);
  EXPECT_EQ(ids_of(d.take(consumer)), (std::vector{six, fifo, four}));
}

TEST(Order, TypesShareOneOrder) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  const JobId a1 = d.submit(producer, {.type = "a"});
  const JobId b = d.submit(producer, {.type = "b"});
  const JobId a2 = d.submit(producer, {.type = "a"});
  d.subscribe(consumer, 3, {"a", "b"});
  EXPECT_EQ(ids_of(d.take(consumer)), (std::vector{a1, b, a2}));
}

TEST(Order, ReleasedJobKeepsItsPlace) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  const JobId first = d.submit(producer);
  const JobId second = d.submit(producer);
  d.subscribe(consumer, 1);
  const Delivered held = d.take_one(consumer);
  EXPECT_EQ(held.id, first);
  d.release(consumer, held);
  const Delivered again = d.take_one(consumer);
  EXPECT_EQ(again.id, first);
  d.complete(consumer, again);
  EXPECT_EQ(d.take_one(consumer).id, second);
}

TEST(Order, DelayedJobsBecomeReadyInTheOrderOfTheirTimes) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  const JobId latest = d.submit(producer, {.delay_ms = 300});
  const JobId earliest = d.submit(producer, {.delay_ms = 100});
  const JobId middle = d.submit(producer, {.delay_ms = 200});
  const JobId same_as_middle = d.submit(producer, {.delay_ms = 200});
  d.advance_ms(1'000);  // one turn finds all of them due
  d.subscribe(consumer, 4);
  EXPECT_EQ(ids_of(d.take(consumer)), (std::vector{earliest, middle, same_as_middle, latest}));
}

TEST(Order, DelayedJobIsNotDeliveredBeforeItsTime) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  d.subscribe(consumer);
  d.submit(producer, {.delay_ms = 1'000});
  d.advance_ms(999);
  EXPECT_TRUE(d.take(consumer).empty());
  d.advance_ms(1);
  EXPECT_EQ(d.take(consumer).size(), 1u);
}

// Every 16th dispatch of a queue goes to the job that has waited longest.
TEST(StarvationGuard, SixteenthDispatchGoesToTheLongestWaiting) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  const JobId low = d.submit(producer, {.priority = 1});
  for (int i = 0; i < 40; ++i) d.submit(producer, {.priority = 20});
  d.subscribe(consumer, 1);
  int place = 0;
  for (int dispatch = 1; dispatch <= 20 && place == 0; ++dispatch) {
    const Delivered job = d.take_one(consumer);
    if (job.id == low) place = dispatch;
    d.complete(consumer, job);
  }
  EXPECT_EQ(place, 16);
}

TEST(StarvationGuard, ZeroMeansStrictlyByRank) {
  BrokerOptions options;
  options.defaults.starvation_guard = 0;
  Driver d(options);
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  const JobId low = d.submit(producer, {.priority = 1});
  for (int i = 0; i < 40; ++i) d.submit(producer, {.priority = 20});
  d.subscribe(consumer, 1);
  for (int dispatch = 0; dispatch < 40; ++dispatch) {
    const Delivered job = d.take_one(consumer);
    EXPECT_NE(job.id, low);
    d.complete(consumer, job);
  }
  EXPECT_EQ(d.take_one(consumer).id, low);
}

TEST(StarvationGuard, PassesOverTypesThatNobodyTakes) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  d.submit(producer, {.type = "unwanted", .priority = 1});
  const JobId low = d.submit(producer, {.priority = 1});
  for (int i = 0; i < 40; ++i) d.submit(producer, {.priority = 20});
  d.subscribe(consumer, 1, {"work"});
  for (int dispatch = 1; dispatch <= 16; ++dispatch) {
    const Delivered job = d.take_one(consumer);
    EXPECT_EQ(job.id == low, dispatch == 16) << "dispatch " << dispatch;
    d.complete(consumer, job);
  }
}

class ForgottenLines : public testing::TestWithParam<Fairness> {};

// Each type is used once and never again, but for a few whose jobs stay.
TEST_P(ForgottenLines, AreThoseOfTypesWithoutReadyJobs) {
  BrokerOptions options;
  options.defaults.fair = GetParam();
  options.defaults.max_active = 0;
  options.defaults.starvation_guard = 0;
  Driver d(options);
  const SessionNo producer = d.open();
  std::vector<JobId> stay;
  for (int i = 0; i < 400; ++i) {
    const JobId id =
        d.submit(producer, {.type = "type" + std::to_string(i), .ordering_key = std::to_string(i)});
    ASSERT_EQ(d.refusal_of(id), Error::kOk);
    if (i % 40 == 7)
      stay.push_back(id);
    else
      ASSERT_EQ(d.command(producer, write_cancel(id, false)), Error::kOk);
    ASSERT_LE(d.state.queue(0).ready.kept_lines(), 65u);
  }
  const SessionNo consumer = d.open();
  d.subscribe(consumer, 100);
  EXPECT_EQ(ids_of(d.take(consumer)), stay);
}

INSTANTIATE_TEST_SUITE_P(Order, ForgottenLines,
                         testing::Values(Fairness::kOff, Fairness::kUser, Fairness::kKey));

}  // namespace
}  // namespace pqd::test
