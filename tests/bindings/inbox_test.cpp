// What the client takes in, without a daemon: deliveries by their numbers, and flags of jobs in hand.
#include "bindings/cpp/inbox.h"

#include <gtest/gtest.h>

namespace pqd::test {
namespace {

Bytes record(DownKind kind, uint64_t number, uint64_t lease, uint32_t batch = 0, bool last = false) {
  DeliveryView view;
  view.head.batch = batch;
  view.head.batch_last = last ? 1 : 0;
  view.head.head.kind = static_cast<uint8_t>(kind);
  view.head.number = number;
  view.head.token = {.job = lease, .lease = lease, .epoch = 1};
  view.head.id = JobId::make(1, 2, 1, lease);
  view.queue = "q";
  view.type = "t";
  Bytes bytes(delivery_record_bytes(view));
  write_delivery_record(view, bytes);
  return bytes;
}
Bytes delivery(uint64_t number) { return record(DownKind::kDelivery, number, number); }
Bytes of_batch(uint32_t batch, uint64_t number, bool last = false) {
  return record(DownKind::kDelivery, number, number, batch, last);
}
Bytes batch_end() { return record(DownKind::kBatchEnd, 0, 0); }

// What comes down, in this order; the batches that can be taken then, by their jobs' leases.
using Batches = std::vector<std::vector<uint64_t>>;
Batches batches_of(ClientInbox& inbox, const std::vector<Bytes>& records) {
  uint64_t seen = 0;
  for (const Bytes& bytes : records) seen = inbox.take(bytes, seen);
  Batches batches;
  while (inbox.has_batch()) {
    batches.emplace_back();
    for (const DeliveredJob& job : inbox.pop_batch()) batches.back().push_back(job.token().lease);
  }
  EXPECT_TRUE(inbox.pop_batch().empty());
  return batches;
}

TEST(AnInbox, TakesADeliveryOnceWhoeverWritesItAgain) {
  ClientInbox inbox;
  uint64_t seen = 0;
  for (const uint64_t number : {1u, 2u, 2u, 1u, 3u}) seen = inbox.take(delivery(number), seen);
  EXPECT_EQ(seen, 3u);
  for (const uint64_t number : {1u, 2u, 3u}) {
    const auto job = inbox.pop();
    ASSERT_TRUE(job);
    EXPECT_EQ(job->token().lease, number);
  }
  EXPECT_FALSE(inbox.pop());
}

TEST(AnInbox, CountsAWithdrawnDeliveryAndTakesNothing) {
  ClientInbox inbox;
  EXPECT_EQ(inbox.take(record(DownKind::kVoid, 1, 0), 0), 1u);
  EXPECT_TRUE(inbox.empty());
}

TEST(AnInbox, PassesOverWhatItCannotRead) {
  ClientInbox inbox;
  EXPECT_EQ(inbox.take(Bytes(10), 4), 4u);
  Bytes cut = delivery(5);
  cut.pop_back();
  EXPECT_EQ(inbox.take(cut, 4), 4u);
  EXPECT_TRUE(inbox.empty());
}

TEST(AnInbox, FlagsTheJobThatANoticeIsAboutInHandOrNot) {
  ClientInbox inbox;
  uint64_t seen = inbox.take(delivery(1), 0);
  seen = inbox.take(delivery(2), seen);
  const auto in_hand = inbox.pop();
  EXPECT_EQ(inbox.take(record(DownKind::kCancelNotice, 0, 1), seen), seen) << "notices have no number";
  EXPECT_EQ(inbox.take(record(DownKind::kCancelNotice, 0, 2), seen), seen);
  EXPECT_TRUE(*in_hand->stop_flag());
  EXPECT_TRUE(*inbox.pop()->stop_flag());
}

TEST(AnInbox, NoticesNothingAboutAJobThatIsSettled) {
  ClientInbox inbox;
  inbox.take(delivery(1), 0);
  const auto job = inbox.pop();
  inbox.settled(job->token());
  inbox.take(record(DownKind::kCancelNotice, 0, 1), 1);
  EXPECT_FALSE(*job->stop_flag());
}

TEST(AnInbox, StopsWhatIsInHandAndDropsTheRestWhenLeasesAreLost) {
  ClientInbox inbox;
  uint64_t seen = inbox.take(delivery(1), 0);
  seen = inbox.take(delivery(2), seen);
  const auto in_hand = inbox.pop();
  inbox.lose_leases();
  EXPECT_TRUE(*in_hand->stop_flag());
  EXPECT_TRUE(inbox.empty());
}

TEST(AnInboxOfBatches, HasEachWhenItsLastJobIsThere) {
  ClientInbox inbox;
  EXPECT_EQ(batches_of(inbox, {of_batch(7, 1), of_batch(7, 2)}), Batches{});
  EXPECT_EQ(batches_of(inbox, {of_batch(7, 3, true), of_batch(8, 4, true), of_batch(9, 5)}),
            (Batches{{1, 2, 3}, {4}}));
  EXPECT_FALSE(inbox.empty());
}

TEST(AnInboxOfBatches, TakesAJobOfAnotherModeAsOne) {
  ClientInbox inbox;
  EXPECT_EQ(batches_of(inbox, {delivery(1), of_batch(7, 2), of_batch(7, 3, true), delivery(4)}),
            (Batches{{1}, {2, 3}, {4}}));
}

TEST(AnInboxOfBatches, LeavesOutWhatWasTakenOneByOne) {
  ClientInbox inbox;
  uint64_t seen = inbox.take(of_batch(7, 1), 0);
  EXPECT_EQ(inbox.pop()->token().lease, 1u);
  seen = inbox.take(of_batch(7, 2), seen);
  inbox.take(of_batch(7, 3, true), seen);
  EXPECT_EQ(inbox.pop()->token().lease, 2u);
  EXPECT_EQ(batches_of(inbox, {}), (Batches{{3}}));
  EXPECT_FALSE(inbox.pop());
}

TEST(AnInboxOfBatches, HasNoneLeftWhenAllOfItWasTakenOneByOne) {
  ClientInbox inbox;
  inbox.take(of_batch(7, 1, true), 0);
  ASSERT_TRUE(inbox.has_batch());
  EXPECT_TRUE(inbox.pop());
  EXPECT_FALSE(inbox.has_batch());
}

TEST(AnInboxOfBatches, EndsTheOneBeforeWhenAnotherBegins) {
  ClientInbox inbox;
  EXPECT_EQ(batches_of(inbox, {of_batch(7, 1), of_batch(8, 2), delivery(3)}), (Batches{{1}, {2}, {3}}));
}

TEST(AnInboxOfBatches, EndsTheOneBeforeWhenNoMoreOfItWillCome) {
  ClientInbox inbox;
  EXPECT_EQ(batches_of(inbox, {of_batch(7, 1), of_batch(7, 2), batch_end(), batch_end()}), (Batches{{1, 2}}));
  EXPECT_EQ(batches_of(inbox, {of_batch(8, 3), of_batch(8, 4, true), batch_end()}), (Batches{{3, 4}}))
      << "it was whole";
}

TEST(AnInboxOfBatches, GoesOnWithWhatTheNextEngineRepeats) {
  ClientInbox inbox;
  EXPECT_EQ(batches_of(inbox, {of_batch(7, 1), of_batch(7, 2), of_batch(7, 1), of_batch(7, 2),
                               of_batch(7, 3, true), batch_end()}),
            (Batches{{1, 2, 3}}));
}

TEST(AnInboxOfBatches, TakesAJobOnceThatTwoSessionsBring) {
  ClientInbox inbox;
  inbox.take(of_batch(7, 1), 0);
  inbox.take(of_batch(7, 2), 1);
  // The next session counts from 1 again. Who ends the batch does so even if it had come before.
  EXPECT_EQ(batches_of(inbox, {record(DownKind::kDelivery, 1, 2, 7, true)}), (Batches{{1, 2}}));
}

TEST(AnInboxOfBatches, DropsThemWhenLeasesAreLost) {
  ClientInbox inbox;
  inbox.take(of_batch(7, 1, true), 0);
  inbox.take(of_batch(8, 2), 1);
  inbox.lose_leases();
  EXPECT_FALSE(inbox.has_batch());
  EXPECT_EQ(batches_of(inbox, {batch_end(), of_batch(9, 3, true)}), (Batches{{3}}));
}

}  // namespace
}  // namespace pqd::test
