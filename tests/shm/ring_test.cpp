#include "shm/ring.h"

#include "tests/shm/fixtures.h"

namespace pqd {
namespace {

using test::record_is;
using test::record_size;
using test::TestRing;
using test::write_record;

constexpr uint32_t kCapacity = 4096;

TEST(Ring, RecordsComeOutWholeAndInOrderOverManyLaps) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  RingReader reader = ring.reader();
  std::vector<std::byte> target(reader.max_record_bytes());
  uint64_t written = 0;
  uint64_t taken = 0;
  while (taken < 20'000) {
    while (write_record(writer, written, record_size(written))) ++written;
    writer.publish();
    ASSERT_TRUE(reader.refresh());
    for (TakeResult got = reader.next(target); got.outcome == Taken::kRecord; got = reader.next(target))
      ASSERT_TRUE(record_is(std::span(target).first(got.bytes), taken++));
    ring.head().store(reader.position().cursor);
  }
  EXPECT_EQ(taken, written);
  EXPECT_EQ(reader.position().sequence, taken);
  EXPECT_GT(reader.position().cursor, uint64_t{kCapacity} * 100);
}

TEST(Ring, ARecordOverTheEndIsContiguousOnBothSides) {
  TestRing ring(kCapacity);
  ring.tail().store(kCapacity - 16);
  ring.head().store(kCapacity - 16);
  RingWriter writer = ring.writer();
  RingReader reader = ring.reader({kCapacity - 16, 0});
  ASSERT_TRUE(write_record(writer, 7, 1000));
  writer.publish();
  std::vector<std::byte> target(reader.max_record_bytes());
  ASSERT_TRUE(reader.refresh());
  ASSERT_EQ(reader.next(target).outcome, Taken::kRecord);
  EXPECT_TRUE(record_is(std::span(target).first(1000), 7));
  EXPECT_EQ(ring.data()[0], ring.data()[kCapacity]);
}

TEST(Ring, NothingIsVisibleBeforePublishAndThenAllOfItIs) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  RingReader reader = ring.reader();
  std::vector<std::byte> target(reader.max_record_bytes());
  for (uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(write_record(writer, i, 64));
  EXPECT_FALSE(reader.refresh());
  EXPECT_EQ(ring.tail().load(), 0u);
  EXPECT_TRUE(writer.publish());
  EXPECT_FALSE(writer.publish());
  EXPECT_TRUE(reader.refresh());
  for (uint64_t i = 0; i < 10; ++i) EXPECT_EQ(reader.next(target).outcome, Taken::kRecord);
  EXPECT_EQ(reader.next(target).outcome, Taken::kEmpty);
}

TEST(RingReader, KnowsWhatIsLeftOfItsLastLookWithoutLookingAgain) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  RingReader reader = ring.reader();
  std::vector<std::byte> target(reader.max_record_bytes());
  ASSERT_TRUE(write_record(writer, 0, 64));
  ASSERT_TRUE(write_record(writer, 1, 64));
  writer.publish();
  EXPECT_FALSE(reader.has_next());
  ASSERT_TRUE(reader.refresh());
  ASSERT_TRUE(write_record(writer, 2, 64));
  writer.publish();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(reader.has_next());
    ASSERT_EQ(reader.next(target).outcome, Taken::kRecord);
  }
  EXPECT_FALSE(reader.has_next());
  ASSERT_TRUE(reader.refresh());
  EXPECT_TRUE(reader.has_next());
}

TEST(Ring, WhatIsRolledBackNeverAppears) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  RingReader reader = ring.reader();
  std::vector<std::byte> target(reader.max_record_bytes());
  ASSERT_TRUE(write_record(writer, 1, 64));
  writer.rollback();
  EXPECT_FALSE(writer.publish());
  ASSERT_TRUE(write_record(writer, 2, 72));
  writer.publish();
  ASSERT_TRUE(reader.refresh());
  ASSERT_EQ(reader.next(target).bytes, 72u);
  EXPECT_TRUE(record_is(std::span(target).first(72), 2));
  EXPECT_EQ(reader.next(target).outcome, Taken::kEmpty);
}

TEST(Ring, IsFullUntilTheHeadMovesAndNotUntilTheRecordsAreRead) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  RingReader reader = ring.reader();
  std::vector<std::byte> target(reader.max_record_bytes());
  for (uint64_t i = 0; i < kCapacity / 64; ++i) ASSERT_TRUE(write_record(writer, i, 64));
  EXPECT_TRUE(writer.reserve(8).empty());
  writer.publish();
  ASSERT_TRUE(reader.refresh());
  while (reader.next(target).outcome == Taken::kRecord) {
  }
  EXPECT_TRUE(writer.reserve(8).empty());
  ring.head().store(64);
  EXPECT_EQ(writer.reserve(64).size(), 64u);
  EXPECT_TRUE(writer.reserve(65).empty());
  EXPECT_FALSE(writer.peer_broken());
}

TEST(Ring, RefusesARecordLargerThanHalfTheRingOrSmallerThanItsHead) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  EXPECT_EQ(writer.max_record_bytes(), kCapacity / 2);
  EXPECT_TRUE(writer.reserve(kCapacity / 2 + 1).empty());
  EXPECT_TRUE(writer.reserve(0xFFFFFFFF).empty());
  EXPECT_TRUE(writer.reserve(7).empty());
  EXPECT_TRUE(writer.reserve(0).empty());
  EXPECT_EQ(writer.reserve(kCapacity / 2).size(), kCapacity / 2);
  EXPECT_EQ(writer.reserve(8).size(), 8u);
}

TEST(Ring, RecordsBeginAtMultiplesOfEight) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  for (const uint32_t bytes : {9u, 15u, 8u, 17u}) {
    const auto room = writer.reserve(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(room.data()) % 8, 0u);
    writer.commit(bytes);
  }
  EXPECT_EQ(writer.pending(), 16u + 16 + 8 + 24);
}

TEST(Ring, AReaderCanBeginInTheMiddleAsRecoveryDoes) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  std::vector<std::byte> target(kCapacity / 2);
  for (uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(write_record(writer, i, 40));
  writer.publish();
  RingPosition stored;
  {
    RingReader reader = ring.reader();
    reader.refresh();
    for (int i = 0; i < 13; ++i) reader.next(target);
    stored = reader.position();
  }
  RingReader successor = ring.reader(stored);
  ASSERT_TRUE(successor.refresh());
  for (uint64_t i = 13; i < 20; ++i) {
    const TakeResult got = successor.next(target);
    ASSERT_EQ(got.outcome, Taken::kRecord);
    EXPECT_TRUE(record_is(std::span(target).first(got.bytes), i));
  }
  EXPECT_EQ(successor.position().sequence, 20u);
}

TEST(Ring, ANewWriterGoesOnBehindWhatItsPredecessorPublished) {
  TestRing ring(kCapacity);
  {
    RingWriter dies = ring.writer();
    ASSERT_TRUE(write_record(dies, 0, 64));
    dies.publish();
    ASSERT_TRUE(write_record(dies, 99, 64));
  }
  RingWriter successor = ring.writer();
  ASSERT_TRUE(write_record(successor, 1, 80));
  successor.publish();
  TrustingRingReader reader = ring.trusting_reader();
  EXPECT_TRUE(record_is(reader.next(), 0));
  EXPECT_TRUE(record_is(reader.next(), 1));
  EXPECT_TRUE(reader.next().empty());
}

TEST(Ring, ATargetThatIsTooSmallMovesNothing) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  RingReader reader = ring.reader();
  ASSERT_TRUE(write_record(writer, 3, 200));
  writer.publish();
  std::vector<std::byte> target(200);
  reader.refresh();
  const TakeResult small = reader.next(std::span(target).first(199));
  EXPECT_EQ(small.outcome, Taken::kTargetTooSmall);
  EXPECT_EQ(small.bytes, 200u);
  EXPECT_EQ(reader.position(), RingPosition{});
  EXPECT_EQ(reader.next(target).outcome, Taken::kRecord);
}

TEST(TrustingRingReader, GivesRoomBackOnlyUpToWhatIsReleased) {
  TestRing ring(kCapacity);
  RingWriter writer = ring.writer();
  TrustingRingReader reader = ring.trusting_reader();
  for (uint64_t i = 0; i < kCapacity / 128; ++i) ASSERT_TRUE(write_record(writer, i, 128));
  writer.publish();
  EXPECT_TRUE(reader.has_next());
  EXPECT_TRUE(record_is(reader.next(), 0));
  const uint64_t first = reader.position();
  EXPECT_TRUE(record_is(reader.next(), 1));
  EXPECT_TRUE(writer.reserve(128).empty());
  reader.release_to(first);
  EXPECT_EQ(writer.reserve(128).size(), 128u);
  EXPECT_TRUE(writer.reserve(256).empty());
  reader.release();
  EXPECT_EQ(writer.reserve(256).size(), 256u);
}

TEST(RingWriter, AHeadThatCannotBeMeansNoRoomForEver) {
  for (const uint64_t impossible : {uint64_t{64}, uint64_t{1} << 63, ~uint64_t{0} - 100'000}) {
    TestRing ring(kCapacity);
    RingWriter writer = ring.writer();
    ring.head().store(impossible);
    EXPECT_TRUE(writer.reserve(64).empty());
    EXPECT_TRUE(writer.peer_broken());
    ring.head().store(0);
    EXPECT_TRUE(writer.reserve(64).empty());
  }
}

}  // namespace
}  // namespace pqd
