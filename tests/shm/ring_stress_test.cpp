#include <sched.h>

#include <thread>

#include "shm/ring.h"
#include "shm/watermarks.h"
#include "tests/shm/fixtures.h"

namespace pqd {
namespace {

using test::past;
using test::record_is;
using test::record_size;
using test::write_record;

// Writes `count` records, published in groups of growing size; false when the watchdog ended it.
bool write_all(RingWriter writer, uint64_t count) {
  const auto start = std::chrono::steady_clock::now();
  for (uint64_t sequence = 0; sequence < count;) {
    if (write_record(writer, sequence, record_size(sequence))) {
      ++sequence;
      if (sequence % (1 + sequence % 17) == 0) writer.publish();
      continue;
    }
    writer.publish();
    if (past(start)) return false;
    ::sched_yield();
  }
  writer.publish();
  return true;
}

// Takes `count` records and frees their room; the number of the first one that was not as written, or
// `count`.
template <class Free>
uint64_t read_all(RingReader& reader, uint64_t count, Free free_up_to) {
  std::vector<std::byte> target(reader.max_record_bytes());
  const auto start = std::chrono::steady_clock::now();
  uint64_t taken = 0;
  while (taken < count && !past(start)) {
    if (!reader.refresh()) {
      if (reader.violation() != RingViolation::kNone) return taken;
      ::sched_yield();
      continue;
    }
    for (TakeResult got = reader.next(target); got.outcome != Taken::kEmpty; got = reader.next(target)) {
      if (got.outcome != Taken::kRecord || !record_is(std::span(target).first(got.bytes), taken))
        return taken;
      ++taken;
    }
    free_up_to(reader.position());
  }
  return taken;
}

TEST(RingStress, TwoThreadsNeverTearOrLoseARecord) {
  constexpr uint64_t kCount = 200'000;
  test::TestRing ring(4096);
  bool wrote = false;
  std::thread client([&] { wrote = write_all(ring.writer(), kCount); });
  RingReader reader = ring.reader();
  const uint64_t taken = read_all(reader, kCount, [&](RingPosition position) {
    ring.head().store(position.cursor, std::memory_order_release);
  });
  client.join();
  EXPECT_TRUE(wrote);
  EXPECT_EQ(taken, kCount) << violation_text(reader.violation());
}

TEST(RingStress, TheTrustingReaderSeesWholeRecordsInPlace) {
  constexpr uint64_t kCount = 200'000;
  test::TestRing ring(4096);
  bool wrote = false;
  std::thread engine([&] { wrote = write_all(ring.writer(), kCount); });
  TrustingRingReader reader = ring.trusting_reader();
  const auto start = std::chrono::steady_clock::now();
  uint64_t taken = 0;
  for (bool sound = true; sound && taken < kCount && !past(start);) {
    const auto record = reader.next();
    if (record.empty()) {
      reader.release();
      std::this_thread::yield();
      continue;
    }
    sound = record_is(record, taken);
    EXPECT_TRUE(sound) << taken;
    ++taken;
    if (taken % 7 == 0) reader.release();
  }
  // Whatever happened, the writer must be able to end.
  while (!reader.next().empty()) reader.release();
  engine.join();
  EXPECT_TRUE(wrote);
  EXPECT_EQ(taken, kCount);
}

// The client in a process of its own, with mappings of its own, over the sealed files a session really has.
TEST(RingStress, TwoProcessesOverSealedFilesNeverTearOrLoseARecord) {
  constexpr uint64_t kCount = 200'000;
  const SegmentSizes sizes = test::small_sizes();
  const UniqueFd up_fd = create_memfd("pqd-test-up", up_layout(sizes).file_bytes()).value();
  const UniqueFd down_fd = create_memfd("pqd-test-down", down_layout(sizes).file_bytes()).value();
  DownSegment down = DownSegment::map(down_fd.get(), sizes, Access::kReadWrite, OnFork::kDrop).value();
  ASSERT_TRUE(seal_for_client_writing(up_fd.get()));
  ASSERT_TRUE(seal_for_client_reading(down_fd.get()));
  const pid_t client = ::fork();
  ASSERT_GE(client, 0);
  if (client == 0) {
    ::alarm(60);
    auto up = UpSegment::map(up_fd.get(), sizes, Access::kReadWrite, OnFork::kDrop);
    const auto heads = DownSegment::map(down_fd.get(), sizes, Access::kReadOnly, OnFork::kDrop);
    if (!up || !heads) ::_exit(2);
    const RingWriter writer(up->ring_data(Lane::kHigh), up->ring_bytes(Lane::kHigh), up->header().tail[2],
                            heads->lane(Lane::kHigh).head);
    ::_exit(write_all(writer, kCount) ? 0 : 1);
  }
  const auto up = UpSegment::map(up_fd.get(), sizes, Access::kReadOnly, OnFork::kInherit);
  ASSERT_TRUE(up);
  RingReader reader(up->ring_data(Lane::kHigh), up->ring_bytes(Lane::kHigh), up->header().tail[2]);
  const uint64_t taken = read_all(reader, kCount, [&](RingPosition position) {
    publish_watermarks(down.lane(Lane::kHigh),
                       {position.cursor, position.sequence, position.sequence, position.sequence});
  });
  int status = 0;
  ASSERT_EQ(::waitpid(client, &status, 0), client);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(taken, kCount) << violation_text(reader.violation());
  EXPECT_EQ(load_watermarks(down.lane(Lane::kHigh)).synced, kCount);
}

}  // namespace
}  // namespace pqd
