// One user's rate over several partitions: one gate decides for all of their brokers.
#include "core/rate_gate.h"

#include "tests/core/driver.h"

namespace pqd::test {
namespace {

// A queue of this partition of two.
std::string queue_in(PartitionNo partition) {
  for (int i = 0;; ++i)
    if (const std::string name = "q" + std::to_string(i); partition_of(name, 2) == partition) return name;
}

class RateGateTest : public ::testing::Test {
 protected:
  static BrokerOptions options(RateGate& gate, PartitionNo partition, uint32_t per_minute) {
    BrokerOptions options;
    options.rate_limit = per_minute;
    options.defaults.max_active = 0;
    options.partition = partition;
    options.partitions = 2;
    options.gate = &gate;
    return options;
  }
  Error submit(Driver& d, SessionNo session) {
    return d.refusal_of(d.submit(session, {.queue = queue_in(d.broker.options().partition)}));
  }
  RateGate gate_;
};

TEST_F(RateGateTest, CountsSubmitsOfAllPartitionsTogether) {
  Driver first(options(gate_, 0, 3));
  Driver second(options(gate_, 1, 3));
  const SessionNo here = first.open();
  const SessionNo there = second.open();
  EXPECT_EQ(submit(first, here), Error::kOk);
  EXPECT_EQ(submit(second, there), Error::kOk);
  EXPECT_EQ(submit(second, there), Error::kOk);
  EXPECT_EQ(submit(first, here), Error::kRateLimitExceeded);
  EXPECT_EQ(submit(second, there), Error::kRateLimitExceeded);
  EXPECT_EQ(submit(second, second.open(1'001)), Error::kOk) << "another user";
  first.advance_ms(20'000);
  EXPECT_EQ(submit(first, here), Error::kOk) << "each by its own clock";
}

TEST_F(RateGateTest, ChargesWhatBecomesAJobAlone) {
  BrokerOptions small = options(gate_, 0, 2);
  small.defaults.max_depth = 1;
  small.defaults.admission_timeout_ms = 0;
  Driver d(small);
  const SessionNo user = d.open();
  EXPECT_EQ(submit(d, user), Error::kOk);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(submit(d, user), Error::kQueueFull) << "costs nothing";
  Driver beside(options(gate_, 1, 2));
  EXPECT_EQ(submit(beside, beside.open()), Error::kOk);
  EXPECT_EQ(submit(d, user), Error::kRateLimitExceeded);
}

TEST_F(RateGateTest, GivesBackWhatWaitedForRoomAndFoundNone) {
  BrokerOptions small = options(gate_, 0, 2);
  small.defaults.max_depth = 1;
  Driver d(small);
  Driver beside(options(gate_, 1, 2));
  const SessionNo user = d.open();
  const SessionNo other = beside.open();
  submit(d, user);
  submit(d, user);
  EXPECT_EQ(submit(beside, other), Error::kRateLimitExceeded);
  d.advance_ms(5'000);
  EXPECT_EQ(submit(beside, other), Error::kOk) << "one was given back";
  EXPECT_EQ(submit(beside, other), Error::kRateLimitExceeded);
}

TEST_F(RateGateTest, BatchCostsItsJobsAllOrNone) {
  Driver d(options(gate_, 0, 4));
  Driver beside(options(gate_, 1, 4));
  const SessionNo user = d.open();
  const JobSpec job{.queue = queue_in(0)};
  EXPECT_EQ(submit(beside, beside.open()), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit_batch(user, std::vector(4, job)).front()), Error::kRateLimitExceeded);
  EXPECT_EQ(d.refusal_of(d.submit_batch(user, {job, {.queue = "elsewhere"}}).front()),
            Error::kInvalidRequest);
  EXPECT_EQ(d.refusal_of(d.submit_batch(user, std::vector(3, job)).back()), Error::kOk)
      << "those that were refused cost nothing";
  EXPECT_EQ(submit(d, user), Error::kRateLimitExceeded);
}

TEST_F(RateGateTest, BatchThatFindsNoRoomIsGivenBackForEveryUserInIt) {
  BrokerOptions small = options(gate_, 0, 2);
  small.defaults.max_depth = 1;
  Driver d(small);
  const SessionNo service = d.open(kAdminUid);
  const JobSpec ann{.queue = queue_in(0), .subject = "ann"};
  const JobSpec bob{.queue = queue_in(0), .subject = "bob"};
  EXPECT_EQ(d.refusal_of(d.submit_batch(service, {ann, bob, ann}).front()), Error::kQueueFull);
  EXPECT_EQ(gate_.tat({kAdminUid, "ann"}), 0) << "as if they had not come";
  EXPECT_EQ(gate_.tat({kAdminUid, "bob"}), 0);
}

TEST_F(RateGateTest, LearnsTheLatestTimeThatAJournalKnows) {
  Driver first(options(gate_, 0, 3));
  Driver second(options(gate_, 1, 3));
  submit(first, first.open());
  submit(second, second.open());
  submit(second, second.open());
  for (const bool first_is_first : {true, false}) {
    RateGate next;
    next.learn((first_is_first ? first : second).state.tables.rates, kStartNs);
    next.learn((first_is_first ? second : first).state.tables.rates, kStartNs);
    EXPECT_EQ(next.tat({kUid, ""}), gate_.tat({kUid, ""}));
    EXPECT_EQ(next.take({kUid, ""}, RateLimit(3), kStartNs, 1), 20 * kSecondNs);
  }
}

}  // namespace
}  // namespace pqd::test
