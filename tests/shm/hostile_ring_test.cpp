// A client that writes anything anywhere in what it may write. The ring lies in a heap block of exactly the
// two copies' length, so that ASan sees every read outside of it.
#include <random>
#include <thread>

#include "shm/ring.h"
#include "tests/shm/fixtures.h"

namespace pqd {
namespace {

constexpr uint32_t kCapacity = 4096;

struct HostileRing {
  std::vector<std::byte> data = std::vector<std::byte>(2 * kCapacity);
  std::atomic<uint64_t> tail{0};
  std::vector<std::byte> target = std::vector<std::byte>(kCapacity / 2);

  RingReader reader(RingPosition from = {}) { return {data.data(), kCapacity, tail, from}; }
  void put_size(uint64_t offset, uint32_t size) { std::memcpy(data.data() + offset, &size, sizeof size); }
};

RingViolation violation_of_tail(uint64_t tail, RingPosition from) {
  HostileRing ring;
  ring.tail.store(tail);
  RingReader reader = ring.reader(from);
  EXPECT_FALSE(reader.refresh());
  EXPECT_EQ(reader.next(ring.target).outcome,
            reader.violation() == RingViolation::kNone ? Taken::kEmpty : Taken::kViolation);
  return reader.violation();
}

TEST(HostileRing, ATailThatCannotBeIsAViolation) {
  const RingPosition middle{8192, 10};
  EXPECT_EQ(violation_of_tail(8192, middle), RingViolation::kNone);
  EXPECT_EQ(violation_of_tail(8193, middle), RingViolation::kTailMisaligned);
  EXPECT_EQ(violation_of_tail(8184, middle), RingViolation::kTailBackwards);
  EXPECT_EQ(violation_of_tail(0, middle), RingViolation::kTailBackwards);
  EXPECT_EQ(violation_of_tail(~uint64_t{7}, middle), RingViolation::kTailBackwards);
  EXPECT_EQ(violation_of_tail(8192 + kCapacity + 8, middle), RingViolation::kTailBeyondCapacity);
  EXPECT_EQ(violation_of_tail(uint64_t{1} << 62, middle), RingViolation::kTailBeyondCapacity);
}

TEST(HostileRing, ATailThatGoesBackBehindWhatWasSeenIsAViolation) {
  HostileRing ring;
  RingReader reader = ring.reader();
  ring.put_size(0, 64);
  ring.tail.store(128);
  ASSERT_TRUE(reader.refresh());
  ring.tail.store(64);
  EXPECT_FALSE(reader.refresh());
  EXPECT_EQ(reader.violation(), RingViolation::kTailBackwards);
}

RingViolation violation_of_size(uint32_t size, uint64_t tail) {
  HostileRing ring;
  ring.put_size(0, size);
  ring.tail.store(tail);
  RingReader reader = ring.reader();
  EXPECT_TRUE(reader.refresh());
  reader.next(ring.target);
  return reader.violation();
}

TEST(HostileRing, ASizeThatCannotBeIsAViolation) {
  EXPECT_EQ(violation_of_size(64, 64), RingViolation::kNone);
  EXPECT_EQ(violation_of_size(0, 64), RingViolation::kRecordTooSmall);
  EXPECT_EQ(violation_of_size(7, 64), RingViolation::kRecordTooSmall);
  EXPECT_EQ(violation_of_size(65, 64), RingViolation::kRecordBeyondTail);
  EXPECT_EQ(violation_of_size(kCapacity / 2, kCapacity), RingViolation::kNone);
  EXPECT_EQ(violation_of_size(kCapacity / 2 + 1, kCapacity), RingViolation::kRecordTooLarge);
  EXPECT_EQ(violation_of_size(0xFFFFFFFF, kCapacity), RingViolation::kRecordTooLarge);
}

TEST(HostileRing, AViolationStaysWhateverTheClientDoesNext) {
  HostileRing ring;
  ring.put_size(0, 3);
  ring.tail.store(64);
  RingReader reader = ring.reader();
  ASSERT_TRUE(reader.refresh());
  EXPECT_EQ(reader.next(ring.target).outcome, Taken::kViolation);
  ring.put_size(0, 64);
  EXPECT_EQ(reader.next(ring.target).outcome, Taken::kViolation);
  EXPECT_FALSE(reader.refresh());
  EXPECT_FALSE(reader.has_next());
  EXPECT_EQ(reader.position(), RingPosition{});
  EXPECT_FALSE(violation_text(reader.violation()).empty());
}

// Mostly plausible, so that the reader gets far before it meets a bad one.
uint32_t random_size(std::mt19937_64& random) {
  return static_cast<uint32_t>(random() % 128 == 0 ? random() : 8 + random() % 200);
}
uint64_t random_tail(std::mt19937_64& random, const RingReader& reader) {
  return random() % 32 == 0 ? random() : reader.position().cursor + (random() % kCapacity & ~uint64_t{7});
}

// Takes whatever the reader gives; false when a copy is not as the reader says.
bool drain(RingReader& reader, std::span<std::byte> target, uint64_t& records) {
  for (;;) {
    const RingPosition before = reader.position();
    const TakeResult got = reader.next(target);
    if (got.outcome != Taken::kRecord) return true;
    ++records;
    uint32_t size = 0;
    std::memcpy(&size, target.data(), sizeof size);
    if (size != got.bytes || got.bytes > kCapacity / 2) return false;
    if (reader.position().cursor - before.cursor != padded_record_bytes(got.bytes)) return false;
  }
}

TEST(HostileRing, RandomBytesAndTailsNeverLeadOutOfBounds) {
  std::mt19937_64 random(20'240'611);
  uint64_t records = 0;
  uint64_t violations = 0;
  for (int round = 0; round < 1'000; ++round) {
    HostileRing ring;
    RingReader reader = ring.reader({random() & ~uint64_t{7}, 0});
    for (int step = 0; step < 50 && reader.violation() == RingViolation::kNone; ++step) {
      for (uint64_t at = 0; at < 2 * kCapacity; at += 8) ring.put_size(at, random_size(random));
      ring.tail.store(random_tail(random, reader));
      reader.refresh();
      ASSERT_TRUE(drain(reader, ring.target, records));
    }
    if (reader.violation() != RingViolation::kNone) ++violations;
  }
  EXPECT_GT(records, 5'000u);
  EXPECT_GT(violations, 500u);
}

TEST(HostileRing, ASizeThatChangesUnderTheReaderIsTheCheckedOneInTheCopy) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the race is the point here, and TSan would report it";
#else
  HostileRing ring;
  std::atomic<bool> stop{false};
  auto* const word = reinterpret_cast<uint32_t*>(ring.data.data());
  __atomic_store_n(word, 8u, __ATOMIC_RELAXED);
  ring.tail.store(2048);
  std::thread client([&] {
    for (uint32_t i = 0; !stop.load(std::memory_order_relaxed); ++i)
      __atomic_store_n(word, i % 2 == 0 ? 8u : 1'024u, __ATOMIC_RELAXED);
  });
  for (int i = 0; i < 200'000; ++i) {
    RingReader reader = ring.reader();
    reader.refresh();
    const TakeResult got = reader.next(ring.target);
    ASSERT_EQ(got.outcome, Taken::kRecord);
    uint32_t size = 0;
    std::memcpy(&size, ring.target.data(), sizeof size);
    ASSERT_EQ(size, got.bytes);
  }
  stop.store(true);
  client.join();
#endif
}

}  // namespace
}  // namespace pqd
