// What a client is told, when, and what waits for what.
#include "core/down_record.h"
#include "daemon/engine/answer_writer.h"
#include "tests/daemon/engine/fixtures.h"

namespace pqd::test {
namespace {

constexpr uint8_t kNormal = static_cast<uint8_t>(Lane::kNormal);

LaneEffect mark(uint64_t seq) { return {Peers::kSession, kNormal, {seq, seq * 100}}; }

ReceiptEffect refusal(uint64_t number, uint64_t seq) {
  return {number, {Peers::kSession, kNormal, seq, static_cast<uint8_t>(Error::kQueueFull), 0, 0, {}}};
}

class SessionOutboxTest : public ::testing::Test {
 protected:
  SessionOutbox& outbox() { return peers.port->outbox(); }
  bool flush(uint64_t written, uint64_t done, uint64_t synced) {
    return outbox().flush({written, done, synced}, state);
  }
  // A delivery whose record stands in a block of its own.
  DeliveryEffect delivery(uint64_t number, bool after_sync, size_t payload_bytes = 8) {
    const Bytes record = peers.job(Lane::kNormal, 1, 0, std::string(payload_bytes, 'x'));
    const auto bytes = static_cast<uint32_t>(record.size());
    DeliveryEffect effect;
    effect.session = Peers::kSession;
    effect.number = number;
    effect.after_sync = after_sync;
    effect.record = {state.blocks.adopt_rows(record), {0, bytes}};
    return effect;
  }
  // The numbers of the deliveries that the client finds.
  std::vector<uint64_t> delivered() {
    std::vector<uint64_t> numbers;
    for (auto record = peers.deliveries.next(); !record.empty(); record = peers.deliveries.next()) {
      const auto view = read_delivery_record(record);
      EXPECT_TRUE(view.has_value());
      if (view) numbers.push_back(view->head.number);
      peers.deliveries.release();
    }
    return numbers;
  }

  Peers peers;
  State state;
};

TEST_F(SessionOutboxTest, TellsWrittenAndSyncedEachAtItsTime) {
  outbox().add(1, mark(10));
  flush(0, 0, 0);
  EXPECT_EQ(peers.marks(Lane::kNormal), Watermarks{});
  flush(1, 0, 0);
  EXPECT_EQ(peers.marks(Lane::kNormal), (Watermarks{0, 10, 10, 0}));
  flush(1, 1, 1);
  EXPECT_EQ(peers.marks(Lane::kNormal), (Watermarks{1000, 10, 10, 10}));
  EXPECT_TRUE(outbox().empty());
}

TEST_F(SessionOutboxTest, FreesTheLaneWithoutSyncWhenNoneWasAskedFor) {
  outbox().add(1, mark(10));
  flush(1, 1, 0);
  EXPECT_EQ(peers.marks(Lane::kNormal), (Watermarks{1000, 10, 10, 0}));
}

TEST_F(SessionOutboxTest, PublishesAReceiptNotBeforeItsCommitIsDone) {
  outbox().add(1, refusal(1, 3));
  flush(1, 0, 0);
  EXPECT_FALSE(peers.receipts.next().has_value());
  flush(1, 1, 1);
  const auto receipt = peers.receipts.next();
  ASSERT_TRUE(receipt.has_value());
  EXPECT_EQ(receipt->sequence, 3u);
  EXPECT_EQ(receipt->code, static_cast<uint8_t>(Error::kQueueFull));
}

TEST_F(SessionOutboxTest, LetsNoWatermarkPassAReceiptThatIsNotPublished) {
  outbox().add(1, mark(10));
  outbox().add(2, refusal(1, 15));
  outbox().add(2, mark(20));
  flush(2, 1, 1);
  EXPECT_EQ(peers.marks(Lane::kNormal), (Watermarks{1000, 10, 10, 10}));
  flush(2, 2, 2);
  EXPECT_EQ(peers.marks(Lane::kNormal), (Watermarks{2000, 20, 20, 20}));
  EXPECT_TRUE(peers.receipts.next().has_value());
}

TEST_F(SessionOutboxTest, HoldsBackOnlyAClientThatDoesNotReadItsReceipts) {
  const uint64_t slots = peers.sizes.receipt_slots;
  for (uint64_t i = 1; i <= 2 * slots; ++i) outbox().add(1, refusal(i, i));
  outbox().add(1, mark(2 * slots));
  flush(1, 1, 1);
  EXPECT_TRUE(outbox().blocked());
  EXPECT_EQ(peers.down().outbox_blocked.load(), 1u);
  EXPECT_EQ(peers.marks(Lane::kNormal).synced, 0u);
  EXPECT_TRUE(peers.port->held_back(lane_index(Lane::kNormal)));
  for (uint64_t i = 1; i <= slots; ++i) EXPECT_EQ(peers.receipts.next()->number, i);
  peers.receipts.release();
  flush(1, 1, 1);
  EXPECT_EQ(peers.marks(Lane::kNormal).synced, 2 * slots);
  EXPECT_FALSE(outbox().blocked());
  EXPECT_FALSE(peers.port->held_back(lane_index(Lane::kNormal)));
  EXPECT_EQ(peers.receipts.next()->number, slots + 1);
}

TEST_F(SessionOutboxTest, DeliversAtLeastOnceWhenWrittenAndAtMostOnceWhenSynced) {
  outbox().add(1, delivery(1, false));
  outbox().add(1, delivery(2, true));
  outbox().add(2, delivery(3, false));
  flush(0, 0, 0);
  EXPECT_EQ(delivered(), (std::vector<uint64_t>{}));
  flush(1, 0, 0);
  EXPECT_EQ(delivered(), (std::vector<uint64_t>{1}));
  flush(2, 0, 0);
  EXPECT_EQ(delivered(), (std::vector<uint64_t>{})) << "3 must not overtake 2";
  flush(2, 2, 2);
  EXPECT_EQ(delivered(), (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(peers.down().deliveries_count.load(), 3u);
  EXPECT_EQ(state.blocks.blocks_in_use(), 0u);
}

TEST_F(SessionOutboxTest, TellsWithoutDeliveringAndIsNotEmptyBeforeItHasSaidSo) {
  outbox().add(1, mark(10));
  outbox().add(1, delivery(1, false));
  outbox().tell({1, 1, 0});
  EXPECT_EQ(peers.marks(Lane::kNormal), (Watermarks{1000, 10, 10, 0}));
  EXPECT_EQ(delivered(), (std::vector<uint64_t>{}));
  EXPECT_TRUE(flush(1, 1, 0));
  EXPECT_EQ(delivered(), (std::vector<uint64_t>{1}));
  outbox().add(2, mark(20));
  outbox().tell({2, 2, 0});
  EXPECT_FALSE(outbox().empty());
  EXPECT_TRUE(flush(2, 2, 0));
  EXPECT_TRUE(outbox().empty());
}

TEST_F(SessionOutboxTest, GivesBackTheBlocksOfWhatItCannotSendAnyMore) {
  outbox().add(1, delivery(1, true));
  outbox().add(1, CancelNotice{Peers::kSession, {}, {}});
  outbox().drop(state);
  EXPECT_EQ(state.blocks.blocks_in_use(), 0u);
}

TEST_F(SessionOutboxTest, SendsACancelNoticeBehindItsDelivery) {
  outbox().add(1, delivery(1, true));
  outbox().add(1, CancelNotice{Peers::kSession, {5, 6, 7, 0}, {}});
  flush(1, 0, 0);
  EXPECT_TRUE(peers.deliveries.next().empty());
  flush(1, 1, 1);
  EXPECT_EQ(read_delivery_record(peers.deliveries.next())->head.number, 1u);
  const auto notice = read_delivery_record(peers.deliveries.next());
  EXPECT_EQ(static_cast<DownKind>(notice->head.head.kind), DownKind::kCancelNotice);
  EXPECT_EQ(notice->head.token.lease, 6u);
  EXPECT_EQ(peers.down().deliveries_count.load(), 1u) << "a notice has no number";
}

TEST_F(SessionOutboxTest, EndsABatchBehindWhatIsRepeatedOfItAndBeforeWhatIsNew) {
  outbox().add(0, delivery(1, true));
  outbox().add_batch_end(0);
  outbox().add(1, delivery(2, false));
  flush(1, 1, 1);
  EXPECT_EQ(read_delivery_record(peers.deliveries.next())->head.number, 1u);
  const auto end = read_delivery_record(peers.deliveries.next());
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(static_cast<DownKind>(end->head.head.kind), DownKind::kBatchEnd);
  EXPECT_EQ(end->head.number, 0u) << "it has no number";
  EXPECT_EQ(read_delivery_record(peers.deliveries.next())->head.number, 2u);
  EXPECT_EQ(state.blocks.blocks_in_use(), 0u);
}

TEST_F(SessionOutboxTest, PassesAnswersOnAtOnce) {
  outbox().add_answer(answer_end(42, Error::kNotFound, "no"));
  EXPECT_TRUE(flush(0, 0, 0));
  const auto record = peers.answers.next();
  AnswerHead head;
  ASSERT_EQ(record.size(), sizeof head + 2);
  std::memcpy(&head, record.data(), sizeof head);
  EXPECT_EQ(head.request, 42u);
  EXPECT_EQ(head.error, static_cast<uint8_t>(Error::kNotFound));
}

TEST_F(SessionOutboxTest, NoticesAClientThatSaysItHasReadWhatWasNotWritten) {
  peers.up.header().deliveries_read.store(8);
  outbox().add(1, delivery(1, false));
  flush(1, 1, 1);
  EXPECT_TRUE(outbox().peer_broken());
  outbox().drop(state);
}

TEST_F(SessionOutboxTest, SendsTheNextEnginesClientsWhatThisOneHasNotPublished) {
  for (uint64_t i = 1; i <= 3; ++i) outbox().add(1, refusal(i, 10 * i));
  flush(1, 1, 1);
  SessionEntry entry;
  entry.lanes[kNormal] = {50, 5000};
  entry.receipts = 5;
  for (uint64_t i = 2; i <= 5; ++i) entry.kept_receipts.push_back(refusal(i, 10 * i).receipt);
  outbox().begin_at(entry);
  flush(9, 9, 9);
  std::vector<uint64_t> numbers;
  while (const auto receipt = peers.receipts.next()) numbers.push_back(receipt->number);
  EXPECT_EQ(numbers, (std::vector<uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(peers.marks(Lane::kNormal), (Watermarks{5000, 50, 50, 50}));
}

}  // namespace
}  // namespace pqd::test
