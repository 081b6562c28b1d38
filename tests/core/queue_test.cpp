// Queues as such: creation, strictness, pause, resume, drain, max_active, configuration.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct Queues : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();
  SessionNo admin = d.open(kAdminUid);
};

TEST_F(Queues, AreMadeOnFirstUse) {
  EXPECT_TRUE(d.state.tables.find_queue("default").has_value());
  EXPECT_FALSE(d.state.tables.find_queue("orders").has_value());
  d.submit(producer, {.queue = "orders"});
  EXPECT_TRUE(d.state.tables.find_queue("orders").has_value());
  d.subscribe(consumer, 1, {}, "mails");
  EXPECT_TRUE(d.state.tables.find_queue("mails").has_value());
  EXPECT_TRUE(d.take(consumer).empty()) << "another queue's job";
}

TEST(StrictQueues, TakeNoOthersThanThoseTheConfigurationNames) {
  BrokerOptions options;
  options.strict_queues = true;
  options.queues["orders"] = {.max_depth = 5};
  Driver d(options);
  const SessionNo s = d.open();
  EXPECT_EQ(d.refusal_of(d.submit(s, {.queue = "default"})), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(s, {.queue = "orders"})), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(s, {.queue = "order"})), Error::kNotFound);
  EXPECT_EQ(d.subscribe(s, 1, {}, "order"), Error::kNotFound);
  EXPECT_EQ(d.refusal_of(d.submit_batch(s, {{.queue = "order"}, {.queue = "order"}}).front()),
            Error::kNotFound);
  EXPECT_EQ(d.state.tables.queue_count(), 2u);
  EXPECT_EQ(d.state.tables.queue(*d.state.tables.find_queue("orders")).settings.max_depth, 5u);
}

TEST(QueueSettingsTest, DefaultsAreTheContracts) {
  const Driver d;
  const QueueSettings settings = d.state.tables.queue(*d.state.tables.find_queue("default")).settings;
  const std::pair<uint64_t, uint64_t> rows[] = {
      {settings.max_depth, 10'000},
      {settings.max_bytes, 1024u * 1024 * 1024},
      {settings.admission_timeout_ms, 5'000},
      {settings.queue_timeout_ms, 30'000},
      {settings.processing_timeout_ms, 60'000},
      {settings.batch_size, 100},
      {settings.batch_interval_ms, 1'000},
      {settings.max_active, 10},
      {settings.max_attempts, 3},
      {settings.backoff_first_ms, 1'000},
      {settings.backoff_cap_ms, 3'600'000},
      {settings.starvation_guard, 16},
  };
  for (const auto& row : rows) EXPECT_EQ(row.first, row.second) << &row - rows;
  EXPECT_EQ(settings.fair, Fairness::kOff);
}

TEST(QueueSettingsTest, NewEngineBringsQueuesUpToTheConfiguration) {
  State state;
  FinishedStore store;
  const auto start = [&](uint32_t max_active, uint32_t epoch) {
    BrokerOptions options;
    options.queues["orders"].max_active = max_active;
    Broker broker(state, store, options);
    CommitBuilder commit(state.blocks, epoch, kStartNs);
    broker.begin_turn(kStartNs, commit);
    broker.start_epoch(epoch);
    broker.end_turn();
    commit.close();
    state.check_invariants();
    return state.tables.queue(*state.tables.find_queue("orders")).settings.max_active;
  };
  EXPECT_EQ(start(3, 1), 3u);
  EXPECT_EQ(start(4, 2), 4u);
  EXPECT_EQ(state.tables.epoch, 2u);
}

TEST_F(Queues, PausedQueueTakesJobsButGivesNoneOut) {
  d.subscribe(consumer, 5);
  EXPECT_EQ(d.command(producer, write_queue_control(QueueAction::kPause, "default")), Error::kUnauthorized);
  EXPECT_EQ(d.command(admin, write_queue_control(QueueAction::kPause, "default")), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(producer)), Error::kOk);
  EXPECT_TRUE(d.take(consumer).empty());
  EXPECT_EQ(d.command(admin, write_queue_control(QueueAction::kResume, "default")), Error::kOk);
  EXPECT_EQ(d.take(consumer).size(), 1u);
  EXPECT_EQ(d.command(admin, write_queue_control(QueueAction::kPause, "nowhere")), Error::kNotFound);
}

TEST_F(Queues, JobsInHandGoOnWhileTheQueueIsPaused) {
  d.subscribe(consumer);
  const JobId id = d.submit(producer);
  const Delivered job = d.take_one(consumer);
  d.command(admin, write_queue_control(QueueAction::kPause, "default"));
  EXPECT_EQ(d.complete(consumer, job), Error::kOk);
  EXPECT_EQ(d.core(id).state, JobState::kCompleted);
}

TEST_F(Queues, DrainingQueueGivesOutWhatItHasAndTakesNothingNew) {
  d.submit(producer);
  EXPECT_EQ(d.command(admin, write_queue_control(QueueAction::kDrain, "default")), Error::kOk);
  const JobId late = d.submit(producer);
  EXPECT_EQ(d.refusal_of(late), Error::kUnavailable);
  EXPECT_GT(d.receipt_of(late)->retry_after_ms, 0u);
  const auto batch = d.submit_batch(producer, {{}, {}});
  for (const JobId& id : batch) EXPECT_EQ(d.refusal_of(id), Error::kUnavailable);
  d.subscribe(consumer);
  d.complete(consumer, d.take_one(consumer));
  EXPECT_EQ(d.state.queue(0).depth(), 0u);
  d.command(admin, write_queue_control(QueueAction::kResume, "default"));
  EXPECT_EQ(d.refusal_of(d.submit(producer)), Error::kOk);
}

TEST(MaxActive, BoundsTheJobsInHand) {
  BrokerOptions options;
  options.defaults.max_active = 2;
  Driver d(options);
  const SessionNo producer = d.open();
  const SessionNo one = d.open();
  const SessionNo two = d.open();
  for (int i = 0; i < 5; ++i) d.submit(producer);
  d.subscribe(one, 10);
  d.subscribe(two, 10);
  std::vector<Delivered> held = d.take(one);
  EXPECT_EQ(held.size() + d.take(two).size(), 2u);
  ASSERT_FALSE(held.empty());
  d.settle(one, RecordKind::kStart, held.front());
  EXPECT_EQ(d.state.queue(0).active, 2u) << "processing counts as well";
  d.complete(one, held.front());
  EXPECT_EQ(d.take(one).size() + d.take(two).size(), 1u);
}

TEST(MaxActive, ZeroIsNoLimit) {
  BrokerOptions options;
  options.defaults.max_active = 0;
  Driver d(options);
  const SessionNo producer = d.open();
  const SessionNo consumer = d.open();
  for (int i = 0; i < 50; ++i) d.submit(producer);
  d.subscribe(consumer, 100);
  EXPECT_EQ(d.take(consumer).size(), 50u);
}

TEST_F(Queues, WhatTheQueryShowsEqualsWhatHappened) {
  d.submit(producer);
  d.submit(producer);
  d.submit(producer, {.delay_ms = 1'000});
  d.subscribe(consumer);
  d.take_one(consumer);
  const QueueInfo info = queue_info(d.state, 0);
  EXPECT_EQ(info.ready, 1u);
  EXPECT_EQ(info.scheduled, 1u);
  EXPECT_EQ(info.active, 1u);
  EXPECT_EQ(info.consumers, 1u);
  EXPECT_EQ(info.bytes, 21u);
  EXPECT_EQ(info.oldest_ready_ns, d.now_ns);
  const HealthInfo health = health_info(d.state, d.broker.recent());
  EXPECT_TRUE(health.healthy);
  EXPECT_EQ(health.queue_depth, 3u);
  EXPECT_EQ(health.pending, 2u);
  EXPECT_EQ(health.waits_recent, 1u);
  const Bytes bytes = encode(health);
  EXPECT_EQ(decode_health_info(bytes)->waits_recent, 1u);
  const auto of_earlier_version = decode_health_info(ByteView(bytes).first(bytes.size() - sizeof(uint64_t)));
  ASSERT_TRUE(of_earlier_version);
  EXPECT_EQ(of_earlier_version->pending, 2u);
}

TEST_F(Queues, AgeIsThatOfWhoWaitsLongestThoughAReleasedJobStandsBeforeIt) {
  const TimeNs t0 = d.now_ns;
  for (int i = 0; i < 3; ++i) d.submit(producer, {.queue_timeout_ms = 30'000});
  d.subscribe(consumer, 2);
  const std::vector<Delivered> held = d.take(consumer);
  ASSERT_EQ(held.size(), 2u);
  d.command(consumer, write_unsubscribe(1));
  d.advance_ms(10'000);
  d.release(consumer, held[0]);
  d.advance_ms(10'000);
  EXPECT_EQ(queue_info(d.state, 0).oldest_ready_ns, t0);
  const HealthInfo health = health_info(d.state, d.broker.recent());
  EXPECT_EQ(health.status, 1u);
  EXPECT_DOUBLE_EQ(health.oldest_ready_age_ms, 20'000);
  EXPECT_EQ(health.degraded_reasons,
            (std::vector<std::string>{"queue default: jobs wait and nobody consumes"}));
  d.release(consumer, held[1]);
  EXPECT_EQ(queue_info(d.state, 0).oldest_ready_ns, t0);
  d.advance_ms(10'000);
  EXPECT_EQ(queue_info(d.state, 0).oldest_ready_ns, t0 + 10'000 * kMillisecondNs) << "the rest was released";
}

TEST_F(Queues, HealthIsDegradedByAQueueAndUnhealthyWhenEverySubmitIsRefused) {
  EXPECT_EQ(health_info(d.state, d.broker.recent()).status, 0u);
  EXPECT_EQ(health_info(d.state, d.broker.recent(), {.intake_closed = "", .clock_off = "an hour"}).status,
            1u);
  const HealthInfo full =
      health_info(d.state, d.broker.recent(), {.intake_closed = "the disk is full", .clock_off = ""});
  EXPECT_EQ(full.status, 2u);
  EXPECT_FALSE(full.healthy);
  EXPECT_EQ(full.degraded_reasons, std::vector<std::string>{"the disk is full"});
  d.submit(producer);
  d.command(admin, write_queue_control(QueueAction::kPause, "default"));
  const HealthInfo paused = health_info(d.state, d.broker.recent());
  EXPECT_EQ(paused.status, 1u);
  EXPECT_FALSE(paused.healthy);
  const HealthInfo both =
      health_info(d.state, d.broker.recent(), {.intake_closed = "the disk is full", .clock_off = ""});
  EXPECT_EQ(both.status, 2u) << "the worse of them";
  EXPECT_EQ(both.degraded_reasons.size(), 2u);
}

TEST_F(Queues, AgeSurvivesThatTheJobsLineUpAnew) {
  const TimeNs t0 = d.now_ns;
  for (int i = 0; i < 2; ++i) d.submit(producer);
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  d.command(consumer, write_unsubscribe(1));
  d.advance_ms(10'000);
  d.release(consumer, job);
  for (const Fairness fair : {Fairness::kUser, Fairness::kKey, Fairness::kOff}) {
    QueueSettings settings;
    settings.fair = fair;
    ASSERT_EQ(d.command(d.open(kAdminUid),
                        write_queue_configure("default", settings, queue_key_bit("fair").value())),
              Error::kOk);
    EXPECT_EQ(queue_info(d.state, 0).oldest_ready_ns, t0);
  }
}

}  // namespace
}  // namespace pqd::test
