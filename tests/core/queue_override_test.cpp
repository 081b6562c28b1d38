// Settings of a queue that are changed while it is in use.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

QueueKeys bit(std::string_view name) { return queue_key_bit(name).value(); }

struct QueueOverride : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();
  SessionNo admin = d.open(kAdminUid);

  Error set(const QueueSettings& settings, QueueKeys keys, std::string_view queue = "default") {
    return d.command(admin, write_queue_configure(queue, settings, keys));
  }
  const QueueEntry& entry() { return d.state.tables.queue(0); }
};

TEST_F(QueueOverride, ChangesWhatItNamesAndRemembersWhoSaidSo) {
  d.now_ns += kSecondNs;
  EXPECT_EQ(set({.max_active = 7}, bit("max_active")), Error::kOk);
  EXPECT_EQ(set({.max_depth = 9, .max_active = 99}, bit("max_depth")), Error::kOk);
  EXPECT_EQ(entry().settings, (QueueSettings{.max_depth = 9, .max_active = 7}));
  const QueueInfo info = queue_info(d.state, 0);
  EXPECT_EQ(info.overridden, bit("max_active") | bit("max_depth"));
  EXPECT_EQ(info.overridden_uid, kAdminUid);
  EXPECT_EQ(info.overridden_ns, d.now_ns);
}

TEST_F(QueueOverride, ResetGivesItBackToTheConfiguration) {
  set({.max_active = 7, .fair = Fairness::kUser}, bit("max_active") | bit("fair"));
  EXPECT_EQ(set({}, 0), Error::kOk);
  EXPECT_EQ(entry().settings, QueueSettings{});
  EXPECT_EQ(entry().overridden, 0u);
  EXPECT_EQ(entry().overridden_uid, 0u);
}

TEST_F(QueueOverride, IsForAdministratorsKnownQueuesAndValuesInTheirRanges) {
  EXPECT_EQ(d.command(producer, write_queue_configure("default", {.max_active = 7}, bit("max_active"))),
            Error::kUnauthorized);
  EXPECT_EQ(set({}, bit("max_active"), "nobody-has-it"), Error::kNotFound);
  EXPECT_EQ(set({.max_attempts = 0}, bit("max_attempts")), Error::kInvalidRequest);
  EXPECT_EQ(set({.max_depth = 100'000'001}, bit("max_depth")), Error::kInvalidRequest);
  EXPECT_EQ(set({}, QueueKeys{1} << std::size(kQueueKeys)), Error::kInvalidRequest);
  EXPECT_EQ(set({.fair = static_cast<Fairness>(3)}, bit("fair")), Error::kInvalidRequest);
  EXPECT_EQ(set({.backoff_first_ms = 3'600'001}, bit("backoff")), Error::kInvalidRequest) << "over its cap";
  EXPECT_EQ(entry().settings, QueueSettings{});
}

TEST_F(QueueOverride, LowerMaxActiveTakesEffectAsJobsLeave) {
  d.subscribe(consumer, 10);
  for (int i = 0; i < 5; ++i) d.submit(producer);
  auto jobs = d.take(consumer);
  ASSERT_EQ(jobs.size(), 5u);
  set({.max_active = 2}, bit("max_active"));
  d.submit(producer);
  for (size_t i = 0; i < 3; ++i) {
    d.complete(consumer, jobs[i]);
    EXPECT_TRUE(d.take(consumer).empty()) << 4 - i << " are still active";
  }
  d.complete(consumer, jobs[3]);
  EXPECT_EQ(d.take(consumer).size(), 1u);
}

TEST_F(QueueOverride, HigherMaxActiveGivesOutAtOnce) {
  d.subscribe(consumer, 50);
  for (int i = 0; i < 15; ++i) d.submit(producer);
  EXPECT_EQ(d.take(consumer).size(), 10u);
  set({.max_active = 12}, bit("max_active"));
  EXPECT_EQ(d.take(consumer).size(), 2u);
}

TEST_F(QueueOverride, LowerMaxDepthRefusesWhatComesAndKeepsWhatIsThere) {
  for (int i = 0; i < 3; ++i) d.submit(producer);
  set({.max_depth = 1, .admission_timeout_ms = 0}, bit("max_depth") | bit("admission_timeout"));
  EXPECT_EQ(d.refusal_of(d.submit(producer)), Error::kQueueFull);
  EXPECT_EQ(d.state.queue(0).depth(), 3u);
}

TEST_F(QueueOverride, RoomThatItMakesAdmitsThoseThatWait) {
  set({.max_depth = 1}, bit("max_depth"));
  d.submit(producer);
  const JobId parked = d.submit(producer);
  EXPECT_EQ(d.core(parked).pending, Pending::kParked);
  set({}, 0);
  EXPECT_EQ(d.core(parked).pending, Pending::kReady);
}

TEST_F(QueueOverride, BatchesThatCollectGoByTheNewSizeAndInterval) {
  d.subscribe(consumer, 50);
  for (int i = 0; i < 3; ++i) d.submit(producer, {.mode = Mode::kBatch});
  EXPECT_TRUE(d.take(consumer).empty());
  set({.batch_size = 3}, bit("batch_size"));
  EXPECT_EQ(d.take(consumer).size(), 3u);
  d.submit(producer, {.mode = Mode::kBatch});
  set({.batch_interval_ms = 10}, bit("batch_interval"));
  d.advance_ms(10);
  EXPECT_EQ(d.take(consumer).size(), 1u);
}

TEST(QueueOverrideTest, OutlivesTheEngineOverAnotherConfiguration) {
  State state;
  FinishedStore store;
  uint64_t number = 0;
  const auto start = [&](uint32_t max_active, uint32_t max_depth, auto&& command) {
    BrokerOptions options;
    options.access.daemon_uid = kAdminUid;
    options.defaults.max_active = max_active;
    options.defaults.max_depth = max_depth;
    Broker broker(state, store, options);
    CommitBuilder commit(state.blocks, ++number, kStartNs);
    broker.begin_turn(kStartNs, commit);
    broker.start_epoch(static_cast<uint32_t>(number));
    command(broker);
    broker.end_turn();
    commit.close();
    auto decoded = Tables::decode(state.tables.encode());
    ASSERT_TRUE(decoded);
    state.tables = std::move(*decoded);
  };
  start(3, 30, [](Broker& broker) {
    broker.open_session({1, kAdminUid, 1, 7, {}});
    broker.control(1, 1, write_queue_configure("default", {.max_active = 8}, bit("max_active")));
  });
  start(4, 40, [](Broker&) {});
  EXPECT_EQ(state.tables.queue(0).settings.max_active, 8u) << "what was said at run time";
  EXPECT_EQ(state.tables.queue(0).settings.max_depth, 40u) << "what the configuration says now";
  start(5, 50, [](Broker& broker) {
    broker.know_session(1, {});
    broker.control(1, 2, write_queue_configure("default", {}, 0));
  });
  EXPECT_EQ(state.tables.queue(0).settings.max_active, 5u);
}

TEST(QueueOverrideTest, TooManyQueuesAreToldFromOneThatIsNotAllowed) {
  Driver d;
  const SessionNo producer = d.open();
  const SessionNo admin = d.open(kAdminUid);
  d.turn([&](CommitBuilder& commit) {
    for (uint32_t i = 1; i < limits::kQueuesMax; ++i)
      d.put(commit, admin, d.next_id(admin), {.queue = "q" + std::to_string(i)});
  });
  EXPECT_EQ(d.state.tables.queue_count(), limits::kQueuesMax);
  EXPECT_EQ(d.refusal_of(d.submit(producer, {.queue = "more"})), Error::kInvalidRequest);
  EXPECT_EQ(d.subscribe(producer, 1, {}, "more"), Error::kInvalidRequest);
  EXPECT_EQ(d.refusal_of(d.submit(producer, {.queue = "q7"})), Error::kOk);
}

}  // namespace
}  // namespace pqd::test
