// Durability memory: the whole life of a job without a byte in the journal.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct MemoryJob : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();

  JobId submit(JobSpec spec = {}) {
    spec.durability = Durability::kMemory;
    return d.submit(producer, spec);
  }
};

TEST_F(MemoryJob, LivesItsWholeLifeWithoutACommit) {
  d.subscribe(consumer, 10, {"work"});
  const size_t commits = d.commits.size();
  for (const RecordKind end : {RecordKind::kComplete, RecordKind::kFail, RecordKind::kRelease}) {
    const JobId id = submit({.max_attempts = 1});
    const Delivered job = d.take_one(consumer);
    EXPECT_EQ(job.id, id);
    EXPECT_EQ(job.payload, "payload");
    d.settle(consumer, RecordKind::kStart, job);
    d.settle(consumer, RecordKind::kExtend, job, "half way");
    d.settle(consumer, end, job, end == RecordKind::kComplete ? "result" : "");
    if (end == RecordKind::kRelease) d.complete(consumer, d.take_one(consumer));
  }
  EXPECT_EQ(d.commits.size(), commits);
}

TEST_F(MemoryJob, IsRememberedWithItsResultForAWhileAfterItsEnd) {
  d.subscribe(consumer, 10);
  const JobId id = submit();
  d.complete(consumer, d.take_one(consumer), "result");
  d.checkpoint();
  const JobRow row = d.row(id);
  EXPECT_EQ(row.core.state, JobState::kCompleted);
  EXPECT_EQ(row.core.durability, Durability::kMemory);
  EXPECT_EQ(as_text(row.result), "result");
  for (size_t i = 0; i < limits::kMemoryFinishedMax; ++i) {
    submit();
    d.complete(consumer, d.take_one(consumer));
  }
  EXPECT_EQ(d.state.jobs.find(id), kNoSlot);
  EXPECT_EQ(d.state.jobs.size(), limits::kMemoryFinishedMax);
}

TEST_F(MemoryJob, IsTriedAgainAndEndsAsFailedWithoutADeadLetter) {
  d.subscribe(consumer, 10);
  const JobId id = submit({.max_attempts = 2});
  d.fail(consumer, d.take_one(consumer));
  d.advance_ms(1'000);
  d.fail(consumer, d.take_one(consumer));
  EXPECT_EQ(d.core(id).state, JobState::kFailed);
  EXPECT_EQ(d.row(id).history.size(), 2u);
  EXPECT_EQ(queue_info(d.state, 0).dlq, 0u);
  EXPECT_EQ(d.command(d.open(kAdminUid), write_redrive(id)), Error::kInvalidStatus);
}

TEST_F(MemoryJob, SharesLinesAndLimitsWithTheOthers) {
  const JobId first = d.submit(producer);
  const JobId memory = submit({.priority = kPriorityHigh});
  const JobId third = submit();
  d.subscribe(consumer, 10);
  const auto jobs = d.take(consumer);
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(jobs[0].id, memory);
  EXPECT_EQ(jobs[1].id, first);
  EXPECT_EQ(jobs[2].id, third);
  EXPECT_EQ(jobs[2].number, 3u);
}

TEST_F(MemoryJob, BecomesReadyBeforeTheOthersOfItsTimeThatCameAfterIt) {
  const JobId memory = submit({.delay_ms = 100});
  const JobId later = d.submit(producer, {.delay_ms = 100});
  d.advance_ms(100);
  d.subscribe(consumer, 10);
  const auto jobs = d.take(consumer);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].id, memory);
  EXPECT_EQ(jobs[1].id, later);
}

TEST_F(MemoryJob, LosesItsLeaseWithItsConsumer) {
  d.subscribe(consumer, 10);
  const JobId once = submit({.delivery = Delivery::kAtMostOnce});
  const JobId again = submit();
  EXPECT_FALSE(d.take(consumer)[0].after_sync) << "there is nothing to wait for";
  d.close(consumer);
  EXPECT_EQ(d.core(once).reason, Reason::kDeliveryLost);
  EXPECT_EQ(d.core(again).pending, Pending::kBackoff);
}

TEST_F(MemoryJob, TimesOutAndIsCancelledLikeAnyOther) {
  const JobId late = submit({.queue_timeout_ms = 100});
  const JobId unwanted = submit();
  d.advance_ms(100);
  d.command(producer, write_cancel(unwanted, false));
  EXPECT_EQ(d.core(late).state, JobState::kTimeout);
  EXPECT_EQ(d.core(unwanted).state, JobState::kCancelled);
}

TEST_F(MemoryJob, DoesNotWaitForRoom) {
  BrokerOptions options;
  options.defaults.max_depth = 1;
  Driver small(options);
  const SessionNo from = small.open();
  small.submit(from, {.durability = Durability::kMemory});
  const JobId id = small.submit(from, {.durability = Durability::kMemory});
  EXPECT_EQ(small.refusal_of(id), Error::kQueueFull);
}

TEST_F(MemoryJob, HasNoIdempotencyKeyBecauseTheKeyWouldOutliveIt) {
  EXPECT_EQ(d.refusal_of(submit({.idempotency_key = "k"})), Error::kInvalidRequest);
}

TEST_F(MemoryJob, CollectsWithItsLikeOnly) {
  const JobSpec memory{.mode = Mode::kBatch, .durability = Durability::kMemory};
  d.subscribe(consumer, 10);
  d.submit(producer, memory);
  d.submit(producer, {.mode = Mode::kBatch});
  d.submit(producer, memory);
  d.advance_ms(1'000);
  const auto jobs = d.take(consumer);
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(jobs[0].batch_last + jobs[1].batch_last + jobs[2].batch_last, 2);
}

// The lane's position goes into the journal with what is in the journal, never because of memory jobs alone.
TEST_F(MemoryJob, DoesNotMoveTheLanesPositionInTheJournal) {
  const auto position = [this] { return d.state.tables.session(producer)->lanes[1].seq; };
  d.submit(producer);
  EXPECT_EQ(position(), 1u);
  submit();
  EXPECT_EQ(position(), 1u);
  d.submit(producer);
  EXPECT_EQ(position(), 3u);
}

// But for a client whose receipts may hold up its watermark: the job may be in somebody's hands before that
// is told, and the next engine would take its record as a new one.
TEST_F(MemoryJob, MovesTheLanesPositionInTheJournalWhenReceiptsAreOnTheirWayToItsClient) {
  const auto position = [this] { return d.state.tables.session(producer)->lanes[1].seq; };
  d.turn([this](CommitBuilder&) { d.broker.lane_advanced(producer, 1, {1, 64}, false); });
  EXPECT_EQ(position(), 0u);
  d.turn([this](CommitBuilder&) { d.broker.lane_advanced(producer, 1, {2, 128}, true); });
  EXPECT_EQ(position(), 2u);
  d.turn([this](CommitBuilder&) {
    d.broker.lane_advanced(producer, 1, {3, 192}, false);
    d.broker.refuse_record(producer, 2, 1, Error::kInvalidRequest, 1);
  });
  EXPECT_EQ(position(), 3u);
}

// What a new engine finds: durable jobs behind a memory job of their ordering key, which nobody brings back.
TEST_F(MemoryJob, ThatDiesWithItsEngineGivesItsOrderingKeyFree) {
  submit({.ordering_key = "k"});
  const JobId behind = d.submit(producer, {.ordering_key = "k"});
  EXPECT_EQ(d.core(behind).pending, Pending::kHeld);
  State next;
  next.timers.start(kStartNs);
  for (const Commit& commit : d.commits) {
    const auto view = read_entry(*commit.entry);
    ASSERT_TRUE(next.replay(commit.number, view->events, *commit.block_bytes));
  }
  Broker broker(next, d.store, {});
  CommitBuilder builder(next.blocks, d.commits.size() + 1, d.now_ns);
  broker.begin_turn(d.now_ns, builder);
  broker.start_epoch(2);
  broker.end_turn();
  next.check_invariants();
  EXPECT_EQ(next.jobs.size(), 1u);
  EXPECT_EQ(next.jobs[next.jobs.find(behind)].pending, Pending::kReady);
}

// Its commit would be one that may never be written.
TEST_F(MemoryJob, ChangesAreToldWithoutWaitingForACommitOfItsOwn) {
  d.submit(producer);
  const uint64_t last = d.commits.size();
  submit();
  ASSERT_EQ(d.commits.size(), last);
  uint64_t told_with = 0;
  d.broker.changes().for_each_kept([&](const Change& change) { told_with = change.commit; });
  EXPECT_EQ(told_with, last);
}

TEST_F(MemoryJob, TellsEveryStepOfItsLifeToThoseWhoWatch) {
  using enum ChangeKind;
  d.subscribe(consumer, 10);
  submit();
  const Delivered job = d.take_one(consumer);
  d.settle(consumer, RecordKind::kStart, job);
  d.settle(consumer, RecordKind::kExtend, job);
  d.settle(consumer, RecordKind::kExtend, job, "half of it");
  d.complete(consumer, job, "result");
  std::vector<ChangeKind> kinds;
  d.broker.changes().for_each_kept([&](const Change& change) { kinds.push_back(change.kind); });
  EXPECT_EQ(kinds,
            (std::vector<ChangeKind>{kSubmitted, kAssigned, kStarted, kExtended, kProgress, kCompleted}));
}

TEST_F(MemoryJob, DeliveriesThatNoJournalTellsOfAreCountedOn) {
  d.subscribe(consumer, 10);
  submit();
  d.turn([&](CommitBuilder&) { d.broker.deliveries_counted(consumer, 7); });
  d.submit(producer);
  EXPECT_EQ(d.take(consumer).back().number, 8u);
  d.turn([&](CommitBuilder&) { d.broker.deliveries_counted(consumer, 3); });
  EXPECT_EQ(d.state.tables.session(consumer)->deliveries, 8u);
}

}  // namespace
}  // namespace pqd::test
