// What the client takes in, without a daemon: deliveries by their numbers, and flags of jobs in hand.
#include "bindings/cpp/inbox.h"

#include <gtest/gtest.h>

namespace pqd::test {
namespace {

Bytes record(DownKind kind, uint64_t number, uint64_t lease) {
  DeliveryView view;
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

}  // namespace
}  // namespace pqd::test
