#include "shm/receipts.h"

#include <thread>

#include "shm/watermarks.h"
#include "tests/shm/fixtures.h"

namespace pqd {
namespace {

constexpr uint32_t kSlots = 64;

struct Receipts {
  std::vector<Receipt> slots = std::vector<Receipt>(kSlots);
  std::atomic<uint64_t> written{0};
  std::atomic<uint64_t> read{0};

  ReceiptWriter writer() { return {slots.data(), kSlots, written, read}; }
  ReceiptReader reader() { return {slots.data(), kSlots, written, read}; }
};

Receipt numbered(uint64_t number) {
  Receipt receipt;
  receipt.number = number;
  receipt.sequence = number * 3;
  return receipt;
}

TEST(Receipts, AppearInOrderWhenPublishedAndNotBefore) {
  Receipts shared;
  ReceiptWriter writer = shared.writer();
  ReceiptReader reader = shared.reader();
  EXPECT_TRUE(writer.append(numbered(1)));
  EXPECT_TRUE(writer.append(numbered(2)));
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(writer.publish());
  EXPECT_FALSE(writer.publish());
  EXPECT_EQ(reader.next()->number, 1u);
  EXPECT_EQ(reader.next()->sequence, 6u);
  EXPECT_FALSE(reader.next());
}

TEST(Receipts, AClientThatDoesNotReadStallsItsOwnReceipts) {
  Receipts shared;
  ReceiptWriter writer = shared.writer();
  ReceiptReader reader = shared.reader();
  for (uint64_t i = 1; i <= kSlots; ++i) ASSERT_TRUE(writer.append(numbered(i)));
  writer.publish();
  EXPECT_FALSE(writer.append(numbered(kSlots + 1)));
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(writer.append(numbered(kSlots + 1)));
  reader.release();
  EXPECT_TRUE(writer.append(numbered(kSlots + 1)));
  EXPECT_FALSE(writer.append(numbered(kSlots + 2)));
}

TEST(Receipts, ASuccessorWritesAgainWhatWasNotPublished) {
  Receipts shared;
  {
    ReceiptWriter dies = shared.writer();
    dies.append(numbered(1));
    dies.publish();
    dies.append(numbered(2));
  }
  ReceiptWriter successor = shared.writer();
  EXPECT_EQ(successor.next_number(), 2u);
  EXPECT_TRUE(successor.append(numbered(2)));
  successor.publish();
  EXPECT_EQ(shared.written.load(), 2u);
}

TEST(Receipts, AReadCountThatCannotBeMeansNoRoomForEver) {
  Receipts shared;
  ReceiptWriter writer = shared.writer();
  shared.read.store(5);
  EXPECT_FALSE(writer.append(numbered(1)));
  EXPECT_TRUE(writer.peer_broken());
}

TEST(Receipts, AreThereWhenTheWatermarkPassesTheirRecord) {
  constexpr uint64_t kCount = 20'000;
  Receipts shared;
  LaneDown lane{};
  std::thread engine([&] {
    ReceiptWriter writer = shared.writer();
    for (uint64_t i = 1; i <= kCount; ++i) {
      while (!writer.append(numbered(i))) std::this_thread::yield();
      writer.publish();
      publish_watermarks(lane, {i * 64, i, i, i});
    }
  });
  ReceiptReader reader = shared.reader();
  uint64_t seen = 0;
  const auto start = std::chrono::steady_clock::now();
  while (seen < kCount && !test::past(start)) {
    const Watermarks marks = load_watermarks(lane);
    ASSERT_GE(marks.applied, marks.written);
    ASSERT_GE(marks.written, marks.synced);
    while (const auto receipt = reader.next()) ASSERT_EQ(receipt->number, ++seen);
    ASSERT_GE(seen, marks.synced);
    reader.release();
  }
  engine.join();
  EXPECT_EQ(seen, kCount);
}

}  // namespace
}  // namespace pqd
