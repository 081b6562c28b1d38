// Submits: what is refused, atomic batches, ids and resubmissions.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct Submit : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();
};

TEST_F(Submit, AcceptedOneNeedsNoReceipt) {
  const JobId id = d.submit(producer, {.metadata = "{}"});
  EXPECT_FALSE(d.receipt_of(id).has_value());
  const JobCore core = d.core(id);
  EXPECT_EQ(core.owner_uid, kUid);
  EXPECT_EQ(core.created_ns, d.now_ns);
  EXPECT_EQ(core.state, JobState::kPending);
  EXPECT_TRUE(d.commits.back().needs_sync);
}

TEST_F(Submit, RefusedOneLeavesNothingButItsReceipt) {
  const JobId id = d.submit(producer, {.priority = 21});
  EXPECT_EQ(d.refusal_of(id), Error::kInvalidPriority);
  EXPECT_EQ(d.state.jobs.size(), 0u);
  EXPECT_EQ(d.commits.back().block_bytes->size(), 0u) << "its record is taken out of the block";
  EXPECT_EQ(d.receipt_of(id)->retry_after_ms, 0u);
}

TEST_F(Submit, PayloadOverTheSessionsLimitIsRefused) {
  EXPECT_EQ(d.refusal_of(d.submit(producer, {.payload = std::string(256 * 1024, 'x')})), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(producer, {.payload = std::string(256 * 1024 + 1, 'x')})),
            Error::kPayloadTooLarge);
}

TEST_F(Submit, SubjectIsForThoseWhoMayActForOthers) {
  EXPECT_EQ(d.refusal_of(d.submit(producer, {.subject = "alice"})), Error::kUnauthorized);
  EXPECT_EQ(d.refusal_of(d.submit(d.open(kAdminUid), {.subject = "alice"})), Error::kOk);
}

TEST_F(Submit, IdMustBeTheSessionsOwnAndNew) {
  const JobId first = d.submit(producer);
  d.submit_as(producer, first, {});
  EXPECT_EQ(d.refusal_of(first), Error::kInvalidRequest) << "used already";
  const JobId foreign = d.next_id(consumer);
  d.submit_as(producer, foreign, {});
  EXPECT_EQ(d.refusal_of(foreign), Error::kInvalidRequest);
  EXPECT_EQ(d.state.jobs.size(), 1u);
}

TEST_F(Submit, CountersMayLeaveGapsButNotGoBack) {
  const JobId skipped = d.next_id(producer);
  EXPECT_EQ(d.refusal_of(d.submit(producer)), Error::kOk);
  d.submit_as(producer, skipped, {});
  EXPECT_EQ(d.refusal_of(skipped), Error::kInvalidRequest);
}

TEST_F(Submit, BatchIsAcceptedAsAWholeInOneCommit) {
  const size_t commits = d.commits.size();
  const auto ids = d.submit_batch(producer, {{.type = "a"}, {.type = "b"}, {.type = "c"}});
  EXPECT_EQ(d.commits.size(), commits + 1);
  for (const JobId& id : ids) {
    EXPECT_FALSE(d.receipt_of(id).has_value());
    EXPECT_EQ(d.core(id).state, JobState::kPending);
  }
}

TEST_F(Submit, BatchWithOneBadJobIsRefusedAsAWhole) {
  for (const JobSpec& bad : {JobSpec{.type = "no name"}, JobSpec{.queue = "other"},
                             JobSpec{.durability = Durability::kOs}}) {
    const auto ids = d.submit_batch(producer, {{}, bad, {}});
    for (const JobId& id : ids) EXPECT_NE(d.refusal_of(id), Error::kOk);
    EXPECT_EQ(d.state.jobs.size(), 0u);
    EXPECT_EQ(d.commits.back().block_bytes->size(), 0u);
  }
}

TEST_F(Submit, BatchIntoADrainingQueueLeavesNothing) {
  d.command(d.open(kAdminUid), write_queue_control(QueueAction::kDrain, "default"));
  const auto ids = d.submit_batch(producer, {{}, {}});
  for (const JobId& id : ids) EXPECT_EQ(d.refusal_of(id), Error::kUnavailable);
  EXPECT_EQ(d.commits.back().block_bytes->size(), 0u);
}

TEST(SubmitBatch, ThatDoesNotFitIsRefusedAsAWhole) {
  BrokerOptions options;
  options.defaults.max_depth = 3;
  Driver d(options);
  const SessionNo s = d.open();
  d.submit(s);
  const auto ids = d.submit_batch(s, {{}, {}, {}});
  for (const JobId& id : ids) {
    EXPECT_EQ(d.refusal_of(id), Error::kQueueFull);
    EXPECT_GT(d.receipt_of(id)->retry_after_ms, 0u);
  }
  EXPECT_EQ(d.state.jobs.size(), 1u);
  for (const JobId& id : d.submit_batch(s, {{}, {}})) EXPECT_EQ(d.refusal_of(id), Error::kOk);
}

TEST_F(Submit, BatchThatNamesOneIdTwiceIsRefused) {
  JobSpec again{.flags = kFlagResubmitted};
  const JobId id = d.next_id(producer);
  d.submit_batch_as(producer, {id, id}, {again, again});
  EXPECT_EQ(d.refusal_of(id), Error::kInvalidRequest);
  EXPECT_EQ(d.state.jobs.size(), 0u);
}

struct Resubmit : Submit {
  // The client comes back under a new session and sends again what it saw no answer to.
  SessionNo reconnect(uint32_t uid = kUid) {
    const SessionNo next = d.open(uid);
    d.turn([&](CommitBuilder&) { d.broker.resume_session(producer, next, Driver::secret_of(producer), 0); });
    return next;
  }
  static constexpr JobSpec again() { return JobSpec{.flags = kFlagResubmitted}; }
};

TEST_F(Resubmit, IdThatIsLiveOrFinishedIsMarkedDuplicate) {
  const JobId live = d.submit(producer, {.type = "kept"});
  const JobId finished = d.submit(producer);
  const JobId stored = d.submit(producer);
  d.subscribe(consumer, 2, {"work"});
  std::vector<Delivered> held = d.take(consumer);
  ASSERT_EQ(held.size(), 2u);
  ASSERT_EQ(held[1].id, stored);
  d.complete(consumer, held[1]);
  d.checkpoint();
  d.complete(consumer, held[0]);
  const SessionNo next = reconnect();
  const size_t jobs = d.state.jobs.size();
  for (const JobId& id : {live, finished, stored}) {
    d.submit_as(next, id, again());
    ASSERT_TRUE(d.receipt_of(id).has_value());
    EXPECT_TRUE((d.receipt_of(id)->flags & kReceiptDuplicate) != 0);
    EXPECT_EQ(d.refusal_of(id), Error::kOk);
    EXPECT_EQ(d.receipt_of(id)->session, next);
  }
  EXPECT_EQ(d.state.jobs.size(), jobs) << "still exactly one job each";
}

TEST_F(Resubmit, IdThatWasNeverSeenBecomesAJob) {
  const JobId lost = d.next_id(producer);
  const SessionNo next = reconnect();
  d.submit_as(next, lost, again());
  EXPECT_FALSE(d.receipt_of(lost).has_value());
  EXPECT_EQ(d.core(lost).submitter, next);
  d.submit_as(next, lost, again());
  EXPECT_TRUE((d.receipt_of(lost)->flags & kReceiptDuplicate) != 0);
}

TEST_F(Resubmit, ForeignUsersTagIsRefused) {
  const JobId id = d.submit(producer);
  const SessionNo thief = d.open(2000);
  d.submit_as(thief, id, again());
  EXPECT_EQ(d.refusal_of(id), Error::kUnauthorized);
  const JobId unknown_tag = JobId::make(1, 0xDEAD, 1, 1);
  d.submit_as(thief, unknown_tag, again());
  EXPECT_EQ(d.refusal_of(unknown_tag), Error::kUnauthorized);
  EXPECT_EQ(d.state.jobs.size(), 1u);
}

TEST_F(Resubmit, AnotherOpenSessionsNextIdCannotBeTakenTwice) {
  const SessionNo sibling = d.open();
  const JobId id = d.next_id(producer);
  d.submit_as(sibling, id, again());
  EXPECT_EQ(d.core(id).owner_uid, kUid);
  d.submit_as(producer, id, {});
  EXPECT_EQ(d.refusal_of(id), Error::kInvalidRequest);
  EXPECT_EQ(d.state.jobs.size(), 1u);
}

TEST_F(Resubmit, BatchIsDuplicateAsAWhole) {
  const auto ids = d.submit_batch(producer, {{}, {}});
  const SessionNo next = reconnect();
  d.submit_batch_as(next, ids, {again(), again()});
  for (const JobId& id : ids) EXPECT_TRUE((d.receipt_of(id)->flags & kReceiptDuplicate) != 0);
  EXPECT_EQ(d.state.jobs.size(), 2u);
}

TEST(ResubmitParked, SubmitThatStillWaitsForRoomGetsItsVerdictInTheNewSession) {
  BrokerOptions options;
  options.defaults.max_depth = 1;
  Driver d(options);
  const SessionNo before = d.open();
  d.submit(before);
  const JobId refused = d.submit(before);
  const JobId admitted = d.submit(before, {.priority = 20});
  d.advance_ms(1'000);
  const SessionNo after = d.open();
  d.turn([&](CommitBuilder&) { d.broker.resume_session(before, after, Driver::secret_of(before), 0); });
  for (const JobId& id : {admitted, refused}) {
    d.submit_as(
        after, id,
        {.priority = id == admitted ? kPriorityCritical : kPriorityNormal, .flags = kFlagResubmitted});
    EXPECT_EQ(d.receipt_of(id)->flags, kReceiptDeferred) << "it is no job yet, and may be refused";
    EXPECT_EQ(d.receipt_of(id)->session, after);
  }
  EXPECT_EQ(d.state.parked_count(), 2u);
  d.subscribe(after);
  d.complete(after, d.take_one(after));
  EXPECT_EQ(d.receipt_of(admitted)->flags, kReceiptVerdict);
  EXPECT_EQ(d.receipt_of(admitted)->session, after);
  d.advance_ms(5'000);
  EXPECT_EQ(d.receipt_of(refused)->flags, kReceiptVerdict);
  EXPECT_EQ(d.refusal_of(refused), Error::kQueueFull);
  EXPECT_EQ(d.receipt_of(refused)->session, after);
}

}  // namespace
}  // namespace pqd::test
