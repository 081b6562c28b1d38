// What becomes of a job whose attempts end badly: retries, backoff, leases, deaths, the dead letter queue.
#include <functional>
#include <set>

#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct Attempts : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();

  // The next delivery of the only job, after at most `ms` of waiting in steps of 1 ms; the time it took.
  int64_t wait_for_delivery(Delivered& job, int64_t ms_max) {
    for (int64_t ms = 0; ms <= ms_max; ++ms) {
      const std::vector<Delivered> list = d.take(consumer);
      if (!list.empty()) {
        job = list.front();
        return ms;
      }
      d.advance_ms(1);
    }
    ADD_FAILURE() << "no delivery within " << ms_max << " ms";
    return -1;
  }
};

TEST_F(Attempts, CompletedJobKeepsItsResult) {
  const JobId id = d.submit(producer);
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  EXPECT_EQ(job.payload, "payload");
  EXPECT_EQ(job.attempt, 1);
  EXPECT_EQ(d.core(id).state, JobState::kAssigned);
  EXPECT_EQ(d.settle(consumer, RecordKind::kStart, job), Error::kOk);
  EXPECT_EQ(d.core(id).state, JobState::kProcessing);
  EXPECT_EQ(d.complete(consumer, job, "the result"), Error::kOk);
  EXPECT_EQ(d.core(id).state, JobState::kCompleted);
  EXPECT_EQ(as_text(d.row(id).result), "the result");
  d.checkpoint();
  EXPECT_EQ(as_text(d.row(id).result), "the result");
  EXPECT_TRUE(d.row(id).payload_dropped);
}

TEST_F(Attempts, StartIsImpliedAndMayBeSaidTwice) {
  d.submit(producer);
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  EXPECT_EQ(d.settle(consumer, RecordKind::kStart, job), Error::kOk);
  EXPECT_EQ(d.settle(consumer, RecordKind::kStart, job), Error::kOk);
  EXPECT_EQ(d.complete(consumer, job), Error::kOk);
}

TEST_F(Attempts, BackoffDoublesUpToItsCap) {
  d.submit(producer, {.max_attempts = 6, .backoff_first_ms = 10, .backoff_cap_ms = 50});
  d.subscribe(consumer);
  Delivered job = d.take_one(consumer);
  for (const int64_t expected : {10, 20, 40, 50, 50}) {
    d.fail(consumer, job);
    EXPECT_EQ(wait_for_delivery(job, 100), expected);
  }
}

TEST_F(Attempts, DefaultsAreTheQueues) {
  const JobId id = d.submit(producer);
  EXPECT_EQ(d.core(id).max_attempts, 3);
  EXPECT_EQ(d.core(id).backoff_first_ms, 1'000u);
  EXPECT_EQ(d.core(id).backoff_cap_ms, 3'600'000u);
  EXPECT_EQ(d.core(id).processing_timeout_ms, 60'000u);
}

TEST_F(Attempts, JitterOnlyEverAdds) {
  std::set<int64_t> seen;
  d.subscribe(consumer);
  for (int i = 0; i < 40; ++i) {
    d.submit(producer, {.max_attempts = 2, .backoff_first_ms = 20, .flags = kFlagBackoffJitter});
    Delivered job = d.take_one(consumer);
    d.fail(consumer, job);
    const int64_t waited = wait_for_delivery(job, 100);
    EXPECT_GE(waited, 20);
    EXPECT_LE(waited, 40);
    seen.insert(waited);
    d.complete(consumer, job);
  }
  EXPECT_GT(seen.size(), 5u) << "that is no jitter";
}

TEST_F(Attempts, LastFailureLeadsToTheDeadLetterQueueWithItsHistory) {
  const JobId id = d.submit(producer, {.max_attempts = 2, .backoff_first_ms = 5});
  d.subscribe(consumer);
  d.fail(consumer, d.take_one(consumer), "first words");
  EXPECT_EQ(d.core(id).state, JobState::kPending);
  EXPECT_EQ(d.core(id).pending, Pending::kBackoff);
  const TimeNs first_end = d.now_ns;
  d.advance_ms(5);
  d.fail(consumer, d.take_one(consumer), "last words");
  const JobRow row = d.row(id);
  EXPECT_EQ(row.core.state, JobState::kFailed);
  EXPECT_EQ(row.core.reason, Reason::kFailedByConsumer);
  EXPECT_EQ(row.core.failures, 2);
  EXPECT_EQ(row.core.deaths, 0);
  ASSERT_EQ(row.history.size(), 2u);
  EXPECT_EQ(row.history[0],
            (AttemptInfo{1, Reason::kFailedByConsumer, first_end, consumer, kUid, "first words"}));
  EXPECT_EQ(row.history[1],
            (AttemptInfo{2, Reason::kFailedByConsumer, d.now_ns, consumer, kUid, "last words"}));
  EXPECT_EQ(d.state.tables.queue(0).dead_letters, 1u);
  d.checkpoint();
  EXPECT_EQ(job_info(d.row(id), "default", "work", true).payload.size(), 7u)
      << "a dead letter keeps its payload";
}

TEST_F(Attempts, DoNotRetryEndsTheJobAtOnce) {
  const JobId id = d.submit(producer, {.max_attempts = 9});
  d.subscribe(consumer);
  d.fail(consumer, d.take_one(consumer), "hopeless", kFlagDoNotRetry);
  EXPECT_EQ(d.core(id).state, JobState::kFailed);
  EXPECT_EQ(d.core(id).reason, Reason::kDoNotRetry);
  EXPECT_EQ(d.core(id).failures, 1);
  EXPECT_EQ(d.state.tables.queue(0).dead_letters, 1u);
}

TEST_F(Attempts, ExpiredLeaseSpendsTheAttemptAndCountsAsADeath) {
  const JobId id = d.submit(producer, {.max_attempts = 1, .processing_timeout_ms = 100});
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  EXPECT_EQ(job.lease_until_ns, d.now_ns + 100 * kMillisecondNs);
  d.advance_ms(99);
  EXPECT_EQ(d.core(id).state, JobState::kAssigned);
  d.advance_ms(1);
  EXPECT_EQ(d.core(id).state, JobState::kFailed);
  EXPECT_EQ(d.core(id).reason, Reason::kLeaseExpired);
  EXPECT_EQ(d.core(id).deaths, 1);
  EXPECT_EQ(d.core(id).failures, 0);
}

TEST_F(Attempts, DeathsAndFailuresAreCountedApart) {
  const JobId id = d.submit(producer, {.max_attempts = 3, .backoff_first_ms = 1});
  const SessionNo mortal = d.open();
  d.subscribe(mortal);
  d.take_one(mortal);
  d.close(mortal);
  EXPECT_EQ(d.core(id).state, JobState::kPending);
  EXPECT_EQ(d.core(id).deaths, 1);
  d.subscribe(consumer);
  d.advance_ms(1);
  d.fail(consumer, d.take_one(consumer));
  EXPECT_EQ(d.core(id).deaths, 1);
  EXPECT_EQ(d.core(id).failures, 1);
  const JobRow row = d.row(id);
  ASSERT_EQ(row.history.size(), 2u);
  EXPECT_EQ(row.history[0].reason, Reason::kConsumerDied);
  EXPECT_EQ(row.history[0].uid, kUid) << "who held it is known after its session is gone";
  EXPECT_EQ(row.history[1].reason, Reason::kFailedByConsumer);
}

TEST_F(Attempts, EndsOfAttemptsNeverExceedTheMaximum) {
  const JobId id = d.submit(producer, {.max_attempts = 4, .backoff_first_ms = 1});
  int deliveries = 0;
  while (!is_finished(d.core(id).state)) {
    const SessionNo mortal = d.open();
    d.subscribe(mortal);
    deliveries += static_cast<int>(d.take(mortal).size());
    d.close(mortal);
    d.advance_ms(10);
    ASSERT_LE(deliveries, 4);
  }
  EXPECT_EQ(deliveries, 4);
  EXPECT_EQ(d.core(id).reason, Reason::kConsumerDied);
}

TEST_F(Attempts, ReleaseGivesTheJobBackUnspent) {
  const JobId id = d.submit(producer, {.max_attempts = 1});
  d.subscribe(consumer);
  for (int i = 0; i < 3; ++i) {
    const Delivered job = d.take_one(consumer);
    EXPECT_EQ(job.attempt, 1);
    EXPECT_EQ(d.release(consumer, job), Error::kOk);
  }
  EXPECT_EQ(d.core(id).attempts, 1) << "it is out for the fourth time, on its first attempt";
  EXPECT_TRUE(d.row(id).history.empty());
}

TEST_F(Attempts, ExtendRenewsTheLeaseAndCarriesProgress) {
  const JobId id = d.submit(producer, {.max_attempts = 1, .processing_timeout_ms = 100});
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  d.advance_ms(80);
  SettleHead head;
  head.head.kind = static_cast<uint8_t>(RecordKind::kExtend);
  head.token = job.token;
  head.id = job.id;
  head.progress = 40;
  EXPECT_EQ(d.command(consumer, write_settle(head, as_bytes("almost half"))), Error::kOk);
  EXPECT_EQ(d.core(id).progress, 40);
  EXPECT_EQ(d.row(id).note, "almost half");
  EXPECT_EQ(d.core(id).lease_until_ns, d.now_ns + 100 * kMillisecondNs);
  d.advance_ms(99);
  head.progress = 0;
  head.extend_ms = 500;
  EXPECT_EQ(d.command(consumer, write_settle(head, {})), Error::kOk);
  EXPECT_EQ(d.core(id).progress, 40) << "a bare renewal takes no progress back";
  EXPECT_EQ(d.row(id).note, "almost half");
  d.advance_ms(499);
  EXPECT_EQ(d.core(id).state, JobState::kAssigned);
  d.advance_ms(1);
  EXPECT_EQ(d.core(id).state, JobState::kFailed);
}

TEST_F(Attempts, SettlementUnderAnOldLeaseIsRefusedAndChangesNothing) {
  const JobId id = d.submit(producer, {.processing_timeout_ms = 10, .backoff_first_ms = 1});
  d.subscribe(consumer);
  const Delivered old = d.take_one(consumer);
  d.advance_ms(10);
  d.advance_ms(1);
  const Delivered current = d.take_one(consumer);
  EXPECT_EQ(current.attempt, 2);
  const Bytes before = encode_row(d.row(id));
  for (const RecordKind kind : {RecordKind::kStart, RecordKind::kComplete, RecordKind::kFail,
                                RecordKind::kRelease, RecordKind::kExtend}) {
    EXPECT_EQ(d.settle(consumer, kind, old), Error::kLeaseLost);
  }
  EXPECT_EQ(encode_row(d.row(id)), before);
  EXPECT_EQ(d.complete(consumer, current), Error::kOk);
  EXPECT_EQ(d.complete(consumer, current), Error::kLeaseLost) << "settled already";
}

TEST_F(Attempts, TokenIsGoodForItsHolderItsEpochAndItsJobOnly) {
  const JobId id = d.submit(producer);
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  const SessionNo thief = d.open();
  EXPECT_EQ(d.complete(thief, job), Error::kLeaseLost);
  Delivered wrong = job;
  wrong.token.epoch += 1;
  EXPECT_EQ(d.complete(consumer, wrong), Error::kLeaseLost);
  wrong = job;
  wrong.token.lease += 1;
  EXPECT_EQ(d.complete(consumer, wrong), Error::kLeaseLost);
  wrong = job;
  wrong.id = d.submit(producer);
  EXPECT_EQ(d.complete(consumer, wrong), Error::kLeaseLost);
  EXPECT_EQ(d.core(id).state, JobState::kAssigned);
}

TEST_F(Attempts, LeaseSurvivesANewEngine) {
  const JobId id = d.submit(producer);
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  d.turn([this](CommitBuilder&) { d.broker.start_epoch(2); });
  EXPECT_EQ(d.complete(consumer, job), Error::kOk);
  EXPECT_EQ(d.core(id).state, JobState::kCompleted);
  d.submit(producer);
  EXPECT_EQ(d.take_one(consumer).token.epoch, 2u);
}

TEST_F(Attempts, SettlementSentAgainAfterItCountedIsNoError) {
  const JobId id = d.submit(producer);
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  d.complete(consumer, job);
  EXPECT_EQ(d.settle(consumer, RecordKind::kComplete, job, {}, kFlagResubmitted), Error::kOk);
  d.checkpoint();
  EXPECT_EQ(d.settle(consumer, RecordKind::kComplete, job, {}, kFlagResubmitted), Error::kOk);
  EXPECT_EQ(d.settle(consumer, RecordKind::kFail, job, {}, kFlagResubmitted), Error::kLeaseLost);
  EXPECT_EQ(d.core(id).state, JobState::kCompleted);
}

TEST_F(Attempts, AtMostOnceIsNeverDeliveredAgain) {
  struct Case {
    const char* what;
    std::function<void(Attempts&, SessionNo, const Delivered&)> end;
    Reason reason;
  };
  const Case cases[] = {
      {"death", [](Attempts& t, SessionNo s, const Delivered&) { t.d.close(s); }, Reason::kDeliveryLost},
      {"lease", [](Attempts& t, SessionNo, const Delivered&) { t.d.advance_ms(60'000); },
       Reason::kDeliveryLost},
      {"fail", [](Attempts& t, SessionNo s, const Delivered& job) { t.d.fail(s, job); },
       Reason::kFailedByConsumer},
      {"release", [](Attempts& t, SessionNo s, const Delivered& job) { t.d.release(s, job); },
       Reason::kDeliveryLost},
  };
  for (const Case& c : cases) {
    const SessionNo mortal = d.open();
    const JobId id = d.submit(producer, {.delivery = Delivery::kAtMostOnce, .max_attempts = 5});
    d.subscribe(mortal);
    const Delivered job = d.take_one(mortal);
    EXPECT_TRUE(job.after_sync) << c.what;
    EXPECT_TRUE(d.commits.back().needs_sync) << c.what;
    c.end(*this, mortal, job);
    EXPECT_EQ(d.core(id).state, JobState::kFailed) << c.what;
    EXPECT_EQ(d.core(id).reason, c.reason) << c.what;
    d.advance_ms(4'000'000);
    EXPECT_TRUE(d.take(mortal).empty()) << c.what;
    d.close(mortal);
  }
}

TEST_F(Attempts, AtMostOnceAssignmentIsSyncedEvenIfItsSubmitNeedNotBe) {
  d.subscribe(consumer, 2);
  d.submit(producer, {.durability = Durability::kOs});
  EXPECT_FALSE(d.commits.back().needs_sync);
  d.submit(producer, {.delivery = Delivery::kAtMostOnce, .durability = Durability::kOs});
  EXPECT_TRUE(d.commits.back().needs_sync);
}

TEST_F(Attempts, AtLeastOnceDeliveryDoesNotWaitForTheSync) {
  d.submit(producer, {.durability = Durability::kOs});
  EXPECT_FALSE(d.commits.back().needs_sync);
  d.subscribe(consumer);
  EXPECT_FALSE(d.take_one(consumer).after_sync);
}

TEST_F(Attempts, RedriveStartsANewLifeAndKeepsTheHistory) {
  const SessionNo admin = d.open(kAdminUid);
  const JobId id = d.submit(producer, {.max_attempts = 1});
  d.subscribe(consumer);
  const Delivered old = d.take_one(consumer);
  d.fail(consumer, old, "first life");
  for (const bool stored : {false, true}) {
    if (stored) d.checkpoint();
    EXPECT_EQ(d.command(producer, write_redrive(id)), Error::kUnauthorized);
    EXPECT_EQ(d.command(admin, write_redrive(id)), Error::kOk);
    EXPECT_EQ(d.state.tables.queue(0).dead_letters, 0u);
    EXPECT_EQ(d.command(admin, write_redrive(id)), Error::kInvalidStatus) << "it lives";
    const Delivered job = d.take_one(consumer);
    EXPECT_EQ(job.id, id);
    EXPECT_EQ(job.attempt, 1) << "attempts start anew";
    EXPECT_EQ(job.payload, "payload");
    EXPECT_EQ(d.complete(consumer, old), Error::kLeaseLost);
    EXPECT_TRUE(d.core(id).redriven);
    d.fail(consumer, job, "next life");
    EXPECT_EQ(d.row(id).history.size(), stored ? 3u : 2u);
    EXPECT_EQ(d.row(id).history.front().error, "first life");
  }
  EXPECT_EQ(d.state.tables.queue(0).dead_letters, 1u);
}

TEST_F(Attempts, RedriveSentAgainNeverGivesAnAtMostOnceJobALifeThatNobodyAskedFor) {
  const SessionNo admin = d.open(kAdminUid);
  for (const Delivery delivery : {Delivery::kAtMostOnce, Delivery::kAtLeastOnce}) {
    const JobId id = d.submit(producer, {.delivery = delivery, .max_attempts = 1});
    if (delivery == Delivery::kAtMostOnce) d.subscribe(consumer);
    d.fail(consumer, d.take_one(consumer));
    EXPECT_EQ(d.command(admin, write_redrive(id)), Error::kOk);
    d.fail(consumer, d.take_one(consumer));
    Bytes again = write_redrive(id);
    RecordHead head;
    std::memcpy(&head, again.data(), sizeof head);
    head.flags |= kFlagResubmitted;
    std::memcpy(again.data(), &head, sizeof head);
    const bool once = delivery == Delivery::kAtMostOnce;
    EXPECT_EQ(d.command(admin, again), once ? Error::kInvalidStatus : Error::kOk);
    EXPECT_EQ(d.take(consumer).size(), once ? 0u : 1u);
  }
}

TEST_F(Attempts, RedriveIsForDeadLettersOnly) {
  const SessionNo admin = d.open(kAdminUid);
  const JobId pending = d.submit(producer);
  EXPECT_EQ(d.command(admin, write_redrive(pending)), Error::kInvalidStatus);
  d.subscribe(consumer);
  d.complete(consumer, d.take_one(consumer));
  EXPECT_EQ(d.command(admin, write_redrive(pending)), Error::kInvalidStatus) << "completed";
  EXPECT_EQ(d.command(admin, write_redrive(d.next_id(producer))), Error::kNotFound);
}

TEST_F(Attempts, QueueTimeoutCountsFromBecomingReady) {
  const JobId id = d.submit(producer, {.delay_ms = 1'000, .queue_timeout_ms = 100});
  d.advance_ms(999);
  d.advance_ms(1);
  d.advance_ms(99);
  EXPECT_EQ(d.core(id).state, JobState::kPending) << "the delay did not count";
  d.advance_ms(1);
  EXPECT_EQ(d.core(id).state, JobState::kTimeout);
  EXPECT_EQ(d.core(id).reason, Reason::kQueueTimeout);
  EXPECT_EQ(d.state.tables.queue(0).dead_letters, 1u) << "nothing vanishes";
  const SessionNo admin = d.open(kAdminUid);
  EXPECT_EQ(d.command(admin, write_redrive(id)), Error::kOk);
}

TEST_F(Attempts, BackoffDoesNotCountTowardsTheQueueTimeout) {
  const JobId id = d.submit(producer, {.queue_timeout_ms = 100, .backoff_first_ms = 10'000});
  d.subscribe(consumer);
  d.advance_ms(50);
  d.fail(consumer, d.take_one(consumer));
  d.command(consumer, write_unsubscribe(1));
  d.advance_ms(10'000);
  d.advance_ms(99);
  EXPECT_EQ(d.core(id).state, JobState::kPending);
  d.advance_ms(1);
  EXPECT_EQ(d.core(id).state, JobState::kTimeout);
}

TEST_F(Attempts, ReleasedJobsQueueTimeoutBeginsAnew) {
  const JobId id = d.submit(producer, {.queue_timeout_ms = 100});
  d.advance_ms(90);
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  d.command(consumer, write_unsubscribe(1));
  d.advance_ms(500);
  d.release(consumer, job);
  d.advance_ms(99);
  EXPECT_EQ(d.core(id).state, JobState::kPending) << "neither its first wait nor the time in hand counts";
  d.advance_ms(1);
  EXPECT_EQ(d.core(id).state, JobState::kTimeout);
}

TEST_F(Attempts, PauseCountsTowardsTheQueueTimeout) {
  const JobId id = d.submit(producer, {.queue_timeout_ms = 100});
  const SessionNo admin = d.open(kAdminUid);
  d.command(admin, write_queue_control(QueueAction::kPause, "default"));
  d.subscribe(consumer);
  d.advance_ms(99);
  EXPECT_EQ(d.core(id).state, JobState::kPending);
  d.advance_ms(1);
  EXPECT_EQ(d.core(id).state, JobState::kTimeout);
}

TEST_F(Attempts, QueueTimeoutZeroIsForEver) {
  const JobId id = d.submit(producer, {.queue_timeout_ms = 0});
  d.advance_ms(int64_t{100} * 365 * 86'400'000);
  EXPECT_EQ(d.core(id).state, JobState::kPending);
  EXPECT_FALSE(d.broker.next_timer_ns().has_value());
}

TEST_F(Attempts, QueueTimeoutsDefaultIsTheQueues) {
  const JobId id = d.submit(producer, {.queue_timeout_ms = kTimeoutDefault});
  d.advance_ms(29'999);
  EXPECT_EQ(d.core(id).state, JobState::kPending);
  d.advance_ms(1);
  EXPECT_EQ(d.core(id).state, JobState::kTimeout);
}

TEST_F(Attempts, HolderOfAnExpiredLeaseIsToldToStopAndNobodyElseIs) {
  d.subscribe(consumer);
  for (const Delivery delivery : {Delivery::kAtLeastOnce, Delivery::kAtMostOnce}) {
    d.notices.clear();
    d.submit(producer, {.delivery = delivery, .processing_timeout_ms = 10'000});
    const Delivered job = d.take_one(consumer);
    d.advance_ms(9'999);
    EXPECT_TRUE(d.notices.empty());
    d.advance_ms(1);
    ASSERT_EQ(d.notices.size(), 1u);
    EXPECT_EQ(d.notices[0].session, consumer);
    EXPECT_EQ(d.notices[0].token, job.token);
    EXPECT_EQ(d.notices[0].id, job.id);
  }
}

TEST_F(Attempts, WhoeverEndsItsLeaseItselfIsToldNothing) {
  d.subscribe(consumer, 3);
  for (int i = 0; i < 3; ++i) d.submit(producer, {.processing_timeout_ms = 10'000});
  const std::vector<Delivered> jobs = d.take(consumer);
  ASSERT_EQ(jobs.size(), 3u);
  d.complete(consumer, jobs[0]);
  d.fail(consumer, jobs[1], "no", kFlagDoNotRetry);
  d.close(consumer);
  d.advance_ms(20'000);
  EXPECT_TRUE(d.notices.empty());
}

TEST_F(Attempts, HolderThatWasAskedToStopIsNotToldAgainWhenItsLeaseExpires) {
  d.subscribe(consumer);
  const JobId id = d.submit(producer, {.processing_timeout_ms = 10'000});
  d.take_one(consumer);
  d.command(producer, write_cancel(id, true));
  d.advance_ms(10'000);
  EXPECT_EQ(d.core(id).state, JobState::kCancelled);
  EXPECT_EQ(d.notices.size(), 1u) << "one notice a lease";
}

TEST_F(Attempts, TimeNeverGoesBack) {
  d.submit(producer, {.delay_ms = 50});
  d.advance_ms(10);
  const TimeNs before = d.state.now();
  d.now_ns -= 5 * kSecondNs;
  d.submit(producer);
  EXPECT_EQ(d.state.now(), before);
  d.subscribe(consumer, 5);
  EXPECT_EQ(d.take(consumer).size(), 1u);
  d.now_ns = before;
  d.advance_ms(40);
  EXPECT_EQ(d.take(consumer).size(), 1u);
}

TEST_F(Attempts, NextTimerIsNeverLaterThanTheEarliestDeadline) {
  d.submit(producer, {.delay_ms = 700});
  d.subscribe(consumer);
  const TimeNs due = d.now_ns + 700 * kMillisecondNs;
  int turns = 0;
  while (d.take(consumer).empty()) {
    const auto next = d.broker.next_timer_ns();
    ASSERT_TRUE(next.has_value());
    ASSERT_LE(*next, due);
    d.now_ns = std::max(d.now_ns, *next);
    d.idle();
    ASSERT_LT(++turns, 10) << "waking up over and over for one timer";
  }
  EXPECT_EQ(d.now_ns, due);
}

// A store that has lost a checkpoint has rows as they were before it, and a journal that goes on from there.
TEST(Replay, RefusesAStepThatIsNoneFromWhereItsJobStands) {
  Driver d;
  const SessionNo consumer = d.open();
  d.subscribe(consumer, 1);
  d.submit(d.open());
  const Delivered job = d.take_one(consumer);
  const size_t assigned = d.commits.size();
  d.settle(consumer, RecordKind::kStart, job);
  d.complete(consumer, job);
  const auto replay = [&d](State& state, size_t at) {
    const Commit& commit = d.commits[at];
    return state.replay(commit.number, read_entry(*commit.entry)->events, *commit.block_bytes);
  };
  for (const size_t again : {assigned - 1, assigned, assigned + 1}) {
    State state;
    for (size_t at = 0; at <= again; ++at) ASSERT_TRUE(replay(state, at)) << at;
    EXPECT_FALSE(replay(state, again)) << "commit " << again << " once more";
  }
}

TEST(Restore, RefusesTwoRowsOfOneJob) {
  Driver d;
  d.submit(d.open());
  Bytes row;
  d.state.jobs.for_each([&](Slot slot) { row = encode_row(row_of(d.state, slot)); });
  auto again = decode_row(row).value();
  again.core.no += 1;
  State restored;
  restored.tables = Tables::decode(d.state.tables.encode()).value();
  RowBatch batch;
  ASSERT_TRUE(batch.add(row) && batch.add(encode_row(again)));
  EXPECT_FALSE(restored.restore(std::move(batch)));
}

}  // namespace
}  // namespace pqd::test
