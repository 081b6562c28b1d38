#include "core/event_codec.h"
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct Cancel : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();
  SessionNo stranger = d.open(2000);
  SessionNo admin = d.open(kAdminUid);
};

TEST_F(Cancel, PendingJobIsCancelledByItsOwner) {
  const JobId ready = d.submit(producer);
  const JobId delayed = d.submit(producer, {.delay_ms = 1'000});
  for (const JobId& id : {ready, delayed}) {
    EXPECT_EQ(d.command(producer, write_cancel(id, false)), Error::kOk);
    EXPECT_EQ(d.core(id).state, JobState::kCancelled);
    EXPECT_EQ(d.core(id).reason, Reason::kCancelled);
  }
  d.subscribe(consumer, 5);
  d.advance_ms(2'000);
  EXPECT_TRUE(d.take(consumer).empty());
  EXPECT_EQ(d.state.tables.queue(0).dead_letters, 0u);
}

TEST_F(Cancel, OtherSessionsOfTheOwnerAndAdminsMayCancel) {
  const JobId one = d.submit(producer);
  const JobId two = d.submit(producer);
  EXPECT_EQ(d.command(d.open(kUid), write_cancel(one, false)), Error::kOk);
  EXPECT_EQ(d.command(admin, write_cancel(two, false)), Error::kOk);
}

TEST_F(Cancel, ForAnyoneElseTheJobDoesNotExist) {
  const JobId id = d.submit(producer);
  EXPECT_EQ(d.command(stranger, write_cancel(id, false)), Error::kNotFound);
  EXPECT_EQ(d.command(stranger, write_cancel(id, true)), Error::kNotFound);
  EXPECT_EQ(d.core(id).state, JobState::kPending);
  EXPECT_EQ(d.command(producer, write_cancel(d.next_id(producer), false)), Error::kNotFound);
}

TEST_F(Cancel, ConsumerThatHoldsTheJobSeesItButMayNotCancel) {
  const JobId id = d.submit(producer);
  d.subscribe(stranger);
  d.take_one(stranger);
  EXPECT_EQ(d.command(stranger, write_cancel(id, true)), Error::kUnauthorized);
}

TEST_F(Cancel, HeldJobIsRefusedUnlessRunningIsSaid) {
  const JobId id = d.submit(producer);
  d.subscribe(consumer);
  const Delivered job = d.take_one(consumer);
  EXPECT_EQ(d.command(producer, write_cancel(id, false)), Error::kInvalidStatus);
  EXPECT_TRUE(d.notices.empty());
  EXPECT_EQ(d.command(producer, write_cancel(id, true)), Error::kOk);
  ASSERT_EQ(d.notices.size(), 1u) << "the consumer is asked to stop";
  EXPECT_EQ(d.notices[0].session, consumer);
  EXPECT_EQ(d.notices[0].token, job.token);
  EXPECT_EQ(d.core(id).state, JobState::kAssigned) << "until the consumer settles";
  EXPECT_TRUE(d.core(id).cancel_requested);
}

TEST_F(Cancel, RunningJobsConsumerIsAskedToStopOnceHoweverOftenItIsCancelled) {
  const JobId id = d.submit(producer);
  d.subscribe(consumer);
  d.take_one(consumer);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(d.command(producer, write_cancel(id, true)), Error::kOk);
  EXPECT_EQ(d.notices.size(), 1u);
}

TEST_F(Cancel, RunningJobIsCancelledByWhateverEndsItsLease) {
  const auto end = [this](int way, const Delivered& job, SessionNo holder) {
    if (way == 0) d.complete(holder, job, "too late");
    if (way == 1) d.fail(holder, job);
    if (way == 2) d.release(holder, job);
    if (way == 3) d.close(holder);
    if (way == 4) d.advance_ms(60'000);
  };
  for (int way = 0; way < 5; ++way) {
    const SessionNo holder = d.open();
    const JobId id = d.submit(producer);
    d.subscribe(holder);
    const Delivered job = d.take_one(holder);
    d.settle(holder, RecordKind::kStart, job);
    d.command(producer, write_cancel(id, true));
    end(way, job, holder);
    EXPECT_EQ(d.core(id).state, JobState::kCancelled) << way;
    EXPECT_TRUE(d.row(id).result.empty()) << way;
    d.close(holder);
  }
}

TEST_F(Cancel, FinishedJobIsRefusedWithInvalidStatus) {
  const JobId id = d.submit(producer);
  d.subscribe(consumer);
  d.complete(consumer, d.take_one(consumer));
  EXPECT_EQ(d.command(producer, write_cancel(id, true)), Error::kInvalidStatus);
  d.checkpoint();
  EXPECT_EQ(d.command(producer, write_cancel(id, true)), Error::kInvalidStatus);
  EXPECT_EQ(d.command(stranger, write_cancel(id, true)), Error::kNotFound);
}

// As a client does after a reconnect, when it has not seen the answer.
Bytes sent_again(Bytes record) {
  RecordHead head;
  std::memcpy(&head, record.data(), sizeof head);
  head.flags |= kFlagResubmitted;
  std::memcpy(record.data(), &head, sizeof head);
  return record;
}

TEST_F(Cancel, OneSentAgainCountsOnce) {
  const JobId id = d.submit(producer);
  EXPECT_EQ(d.command(producer, write_cancel(id, false)), Error::kOk);
  EXPECT_EQ(d.command(producer, sent_again(write_cancel(id, false))), Error::kOk);
  d.checkpoint();
  EXPECT_EQ(d.command(producer, sent_again(write_cancel(id, false))), Error::kOk);
  EXPECT_EQ(d.command(producer, write_cancel(id, false)), Error::kInvalidStatus)
      << "a new one comes too late";
}

TEST_F(Cancel, OneSentAgainForAJobThatEndedOtherwiseIsRefused) {
  const JobId id = d.submit(producer, {.queue_timeout_ms = 1'000});
  d.advance_ms(1'000);
  EXPECT_EQ(d.command(producer, sent_again(write_cancel(id, false))), Error::kInvalidStatus);
}

TEST_F(Cancel, RedriveSentAgainGivesOneNewLife) {
  const JobId id = d.submit(producer, {.queue_timeout_ms = 1'000});
  d.advance_ms(1'000);
  EXPECT_EQ(d.command(admin, write_redrive(id)), Error::kOk);
  const JobNo life = d.core(id).no;
  EXPECT_EQ(d.command(admin, sent_again(write_redrive(id))), Error::kOk);
  EXPECT_EQ(d.core(id).no, life);
  EXPECT_EQ(d.command(admin, write_redrive(id)), Error::kInvalidStatus);
}

TEST_F(Cancel, RefusalIsInTheAuditTrailWithItsJob) {
  const JobId id = d.submit(producer);
  d.command(stranger, write_cancel(id, false));
  const auto view = read_entry(*d.commits.back().entry);
  ByteReader reader(view->events);
  bool found = false;
  while (reader.remaining() > 0) {
    ASSERT_TRUE(decode_event(reader, [&]<class Event>(const Event& e) {
      if constexpr (std::is_same_v<Event, Refused>) {
        found = true;
        EXPECT_EQ(e.id, id);
        EXPECT_EQ(e.session, stranger);
        EXPECT_EQ(e.code, static_cast<uint8_t>(Error::kNotFound));
        EXPECT_EQ(e.record_kind, static_cast<uint8_t>(RecordKind::kCancel));
      }
    }));
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace pqd::test
