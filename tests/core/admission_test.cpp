// Full queues: who waits for room, in which order, and what they are told.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

BrokerOptions small(uint32_t max_depth, uint64_t max_bytes = 1 << 20) {
  BrokerOptions options;
  options.defaults.max_depth = max_depth;
  options.defaults.max_bytes = max_bytes;
  return options;
}

struct Admission : ::testing::Test {
  Driver d{small(2)};
  SessionNo producer = d.open();
  SessionNo consumer = d.open();

  std::vector<JobId> filled;

  uint8_t flags_of(const JobId& id) {
    const auto receipt = d.receipt_of(id);
    return receipt ? receipt->flags : 0;
  }
  void fill() {
    for (int i = 0; i < 2; ++i) filled.push_back(d.submit(producer));
    for (const JobId& id : filled) EXPECT_FALSE(d.receipt_of(id).has_value());
  }
  void finish_one() {
    d.subscribe(consumer);
    d.complete(consumer, d.take_one(consumer));
    d.command(consumer, write_unsubscribe(1));
    for (const Delivered& job : d.take(consumer)) d.release(consumer, job);
  }
};

TEST_F(Admission, SubmitToAFullQueueIsDeferredThenAdmittedWhenThereIsRoom) {
  fill();
  const JobId waiting = d.submit(producer);
  EXPECT_EQ(flags_of(waiting), kReceiptDeferred);
  EXPECT_EQ(d.state.queue(0).depth(), 2u);
  d.advance_ms(4'000);
  finish_one();
  EXPECT_EQ(flags_of(waiting), kReceiptVerdict);
  EXPECT_EQ(d.refusal_of(waiting), Error::kOk);
  EXPECT_EQ(d.core(waiting).pending, Pending::kReady);
  EXPECT_EQ(d.state.queue(0).depth(), 2u);
}

TEST_F(Admission, UrgentSubmitGoesByItsOwnRankOnceTheOneBeforeItInItsKeyIsRefused) {
  fill();
  const JobId before = d.submit(producer, {.priority = 5, .ordering_key = "k"});
  d.advance_ms(2'000);
  const JobId normal = d.submit(producer, {.priority = 10});
  const JobId urgent = d.submit(producer, {.priority = 20, .ordering_key = "k"});
  d.advance_ms(3'000);
  EXPECT_EQ(d.refusal_of(before), Error::kQueueFull);
  d.command(producer, write_cancel(filled.front(), false));
  EXPECT_EQ(flags_of(urgent), kReceiptVerdict);
  EXPECT_EQ(flags_of(normal), kReceiptDeferred);
}

TEST_F(Admission, VerdictNamesTheRecordThatItIsAbout) {
  fill();
  const JobId waiting = d.submit(producer);
  const ReceiptIssued deferred = *d.receipt_of(waiting);
  d.advance_ms(5'000);
  const ReceiptIssued verdict = *d.receipt_of(waiting);
  EXPECT_EQ(verdict.flags, kReceiptVerdict);
  EXPECT_EQ(verdict.session, deferred.session);
  EXPECT_EQ(verdict.lane, deferred.lane);
  EXPECT_EQ(verdict.seq, deferred.seq);
}

TEST_F(Admission, SubmitThatFindsNoRoomInTimeIsRefused) {
  fill();
  const JobId waiting = d.submit(producer);
  d.advance_ms(4'999);
  EXPECT_EQ(flags_of(waiting), kReceiptDeferred);
  d.advance_ms(1);
  EXPECT_EQ(d.refusal_of(waiting), Error::kQueueFull);
  EXPECT_GT(d.receipt_of(waiting)->retry_after_ms, 0u);
  EXPECT_EQ(d.state.jobs.find(waiting), kNoSlot) << "it never became a job";
  EXPECT_EQ(d.state.parked_count(), 0u);
}

TEST_F(Admission, MostUrgentWaitsInFrontThenArrival) {
  fill();
  const JobId low = d.submit(producer, {.priority = 1});
  const JobId high_one = d.submit(producer, {.priority = 10});
  const JobId high_two = d.submit(producer, {.priority = 10});
  std::vector<JobId> admitted;
  for (int i = 0; i < 3; ++i) {
    finish_one();
    for (const JobId& id : {low, high_one, high_two}) {
      const bool fresh = std::find(admitted.begin(), admitted.end(), id) == admitted.end();
      if (flags_of(id) == kReceiptVerdict && fresh) admitted.push_back(id);
    }
    EXPECT_EQ(admitted.size(), static_cast<size_t>(i) + 1);
  }
  EXPECT_EQ(admitted, (std::vector{high_one, high_two, low}));
}

TEST_F(Admission, LaterSubmitDoesNotOvertakeThoseThatWait) {
  fill();
  const JobId waiting = d.submit(producer);
  d.turn([&](CommitBuilder& commit) {
    // Room comes up and a new submit arrives within one turn.
    d.broker.control(producer, 1, write_cancel(filled.front(), false));
    d.put(commit, producer, d.next_id(producer), {});
  });
  EXPECT_EQ(flags_of(waiting), kReceiptVerdict);
  EXPECT_EQ(d.state.parked_count(), 1u);
}

TEST_F(Admission, AdmittedJobStillWaitsForItsTime) {
  fill();
  const JobId waiting = d.submit(producer, {.delay_ms = 60'000});
  finish_one();
  EXPECT_EQ(d.core(waiting).pending, Pending::kScheduled);
  finish_one();
  d.subscribe(consumer);
  d.advance_ms(59'999);
  EXPECT_TRUE(d.take(consumer).empty());
  d.advance_ms(1);
  EXPECT_EQ(d.take_one(consumer).id, waiting);
}

TEST_F(Admission, WaitingSubmitOutlivesItsSession) {
  fill();
  const SessionNo other = d.open();
  const JobId waiting = d.submit(other);
  d.close(other);
  finish_one();
  EXPECT_EQ(d.core(waiting).state, JobState::kPending);
  EXPECT_EQ(d.core(waiting).pending, Pending::kReady);
}

TEST_F(Admission, WaitingSubmitIsNoJobYet) {
  fill();
  const JobId waiting = d.submit(producer);
  EXPECT_EQ(d.command(producer, write_cancel(waiting, false)), Error::kNotFound);
}

TEST(AdmissionLimits, ZeroTimeoutRefusesAtOnce) {
  BrokerOptions options = small(1);
  options.defaults.admission_timeout_ms = 0;
  Driver d(options);
  const SessionNo s = d.open();
  d.submit(s);
  const JobId refused = d.submit(s);
  EXPECT_EQ(d.refusal_of(refused), Error::kQueueFull);
  EXPECT_EQ(d.receipt_of(refused)->flags, 0);
}

TEST(AdmissionLimits, BytesOfPayloadsAreBounded) {
  Driver d(small(100, 10));
  const SessionNo s = d.open();
  EXPECT_FALSE(d.receipt_of(d.submit(s, {.payload = "123456"})).has_value());
  const JobId waiting = d.submit(s, {.payload = "12345"});
  EXPECT_EQ(d.receipt_of(waiting)->flags, kReceiptDeferred);
  EXPECT_EQ(d.refusal_of(d.submit(s, {.payload = "12345678901"})), Error::kQueueFull)
      << "what can never fit does not wait";
  d.subscribe(s);
  d.complete(s, d.take_one(s));
  EXPECT_EQ(d.receipt_of(waiting)->flags, kReceiptVerdict);
  EXPECT_EQ(d.state.queue(0).bytes, 5u);
}

TEST(AdmissionLimits, PendingAndHeldJobsCountFinishedOnesDoNot) {
  Driver d(small(2));
  const SessionNo s = d.open();
  d.submit(s);
  d.submit(s, {.delay_ms = 1'000});
  d.subscribe(s);
  const Delivered job = d.take_one(s);
  EXPECT_EQ(d.receipt_of(d.submit(s))->flags, kReceiptDeferred);
  d.fail(s, job, "no", kFlagDoNotRetry);
  EXPECT_EQ(d.state.parked_count(), 0u);
}

TEST(AdmissionLimits, ClosedIntakeRefusesEverySubmit) {
  Driver d;
  const SessionNo s = d.open();
  d.broker.set_intake(Error::kNoSpace);
  EXPECT_EQ(d.refusal_of(d.submit(s)), Error::kNoSpace);
  d.broker.set_intake(Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(s)), Error::kOk);
}

}  // namespace
}  // namespace pqd::test
