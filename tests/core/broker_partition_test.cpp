// A broker that is one of several: it serves the queues of its own partition and no others.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

constexpr uint32_t kCount = 2;

std::string queue_in(PartitionNo partition) {
  for (int i = 0;; ++i)
    if (const std::string name = "q" + std::to_string(i); partition_of(name, kCount) == partition)
      return name;
}

BrokerOptions options_of(PartitionNo partition) {
  BrokerOptions options;
  options.partition = partition;
  options.partitions = kCount;
  return options;
}

class BrokerPartition : public ::testing::TestWithParam<PartitionNo> {
 protected:
  PartitionNo own() const { return GetParam(); }
  std::string here() const { return queue_in(own()); }
  std::string elsewhere() const { return queue_in(static_cast<PartitionNo>(1 - own())); }
  // That it was refused for this reason is known by name.
  void expect_misrouted(Driver& d, SessionNo session) {
    EXPECT_EQ(d.broker.take_misrouted(), std::vector<SessionNo>{session});
    EXPECT_TRUE(d.broker.take_misrouted().empty());
  }
};

TEST_P(BrokerPartition, TakesSubmitsOfItsOwnQueuesAndRefusesOthers) {
  Driver d(options_of(own()));
  const SessionNo user = d.open();
  EXPECT_EQ(d.refusal_of(d.submit(user, {.queue = here()})), Error::kOk);
  EXPECT_TRUE(d.broker.take_misrouted().empty());
  EXPECT_EQ(d.refusal_of(d.submit(user, {.queue = elsewhere()})), Error::kInvalidRequest);
  expect_misrouted(d, user);
  EXPECT_FALSE(d.state.tables.find_queue(elsewhere()));
}

TEST_P(BrokerPartition, RefusesABatchForAnotherPartitionsQueueWhole) {
  Driver d(options_of(own()));
  const SessionNo user = d.open();
  for (const JobId& id : d.submit_batch(user, std::vector<JobSpec>(2, {.queue = elsewhere()})))
    EXPECT_EQ(d.refusal_of(id), Error::kInvalidRequest);
  expect_misrouted(d, user);
}

TEST_P(BrokerPartition, RefusesSubscriptionsToOthersQueues) {
  Driver d(options_of(own()));
  const SessionNo worker = d.open();
  EXPECT_EQ(d.subscribe(worker, 1, {}, here()), Error::kOk);
  EXPECT_EQ(d.subscribe(worker, 1, {}, elsewhere(), 2), Error::kInvalidRequest);
  expect_misrouted(d, worker);
}

TEST_P(BrokerPartition, RefusesCommandsAboutOthersQueues) {
  Driver d(options_of(own()));
  const SessionNo admin = d.open(kAdminUid);
  const std::pair<std::string, Error> wants[] = {{elsewhere(), Error::kInvalidRequest},
                                                 {here(), Error::kNotFound}};
  for (const auto& [queue, answer] : wants) {
    EXPECT_EQ(d.command(admin, write_queue_control(QueueAction::kPause, queue)), answer);
    EXPECT_EQ(d.command(admin, write_queue_configure(queue, {}, 0)), answer);
  }
  EXPECT_EQ(d.broker.take_misrouted().size(), 2u);
}

TEST_P(BrokerPartition, HasOfTheConfiguredQueuesItsOwn) {
  BrokerOptions options = options_of(own());
  options.queues = {{here(), {}}, {elsewhere(), {}}};
  Driver d(options);
  d.turn([&](CommitBuilder&) { d.broker.start_epoch(1); });
  EXPECT_TRUE(d.state.tables.find_queue(here()));
  EXPECT_FALSE(d.state.tables.find_queue(elsewhere()));
  EXPECT_EQ(d.state.tables.find_queue("default").has_value(), partition_of("", kCount) == own());
}

INSTANTIATE_TEST_SUITE_P(Both, BrokerPartition, ::testing::Values(PartitionNo{0}, PartitionNo{1}));

TEST(BrokerWithoutPartitions, ServesEveryQueue) {
  Driver d;
  const SessionNo user = d.open();
  for (const PartitionNo partition : {PartitionNo{0}, PartitionNo{1}})
    EXPECT_EQ(d.refusal_of(d.submit(user, {.queue = queue_in(partition)})), Error::kOk);
  EXPECT_EQ(d.broker.run_tag(), JobId::kScheduleTag);
}

}  // namespace
}  // namespace pqd::test
