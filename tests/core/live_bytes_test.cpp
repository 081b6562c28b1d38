// What a job that waits takes of memory, counted where memory comes from: everything that a broker holds,
// which is tables, lines, indexes, timers and the blocks that records stand in, and nothing that a program's
// start or the disk add. A program of its own, because it counts what all of it allocates.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "tests/ratchet/small_engine.h"

namespace {

size_t live_bytes = 0;  // one thread

void* count_in(void* memory) {
  if (memory == nullptr) std::abort();
  live_bytes += ::malloc_usable_size(memory) + sizeof(size_t);  // and the allocator's word before it
  return memory;
}

void give_back(void* memory) {
  if (memory == nullptr) return;
  live_bytes -= ::malloc_usable_size(memory) + sizeof(size_t);
  std::free(memory);
}

}  // namespace

void* operator new(size_t bytes) { return count_in(std::malloc(bytes)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  const auto to = static_cast<size_t>(alignment);
  return count_in(std::aligned_alloc(to, (bytes + to - 1) / to * to));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, size_t /*bytes*/) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept { give_back(memory); }
void operator delete(void* memory, size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
  give_back(memory);
}

namespace pqd::ratchet {
namespace {

constexpr uint32_t kJobs = 256 * kRoundJobs;
// A job of the row `backlog` in tests/bench, where the aim is 256 for a whole engine.
constexpr double kBytesMax = 204;

// Of each job that `engine` takes, besides its payload. Turns and commits are as an engine has them at full
// load.
double bytes_a_job(SmallEngine& engine, void (*make)(SubmitView&, uint32_t)) {
  FixedIds ids;
  const size_t before = live_bytes;
  std::vector<Bytes> records;
  for (uint32_t i = 0; i < kJobs; ++i) {
    SubmitView job = fixed_job(ids.next());
    make(job, i);
    records.push_back(record_of(job));
    if (records.size() < kRoundJobs) continue;
    engine.forget(engine.submit(records));
    records = {};
  }
  EXPECT_EQ(engine.state().jobs.size(), kJobs);
  return static_cast<double>(live_bytes - before) / kJobs - static_cast<double>(kPayloadBytes);
}

TEST(LiveBytes, JobThatWaitsForAConsumerTakesLittleBesidesItsPayload) {
  SmallEngine engine;
  EXPECT_LE(bytes_a_job(engine, [](SubmitView&, uint32_t) {}), kBytesMax);
}

// Each has its own time, which no other shares, and a timer.
TEST(LiveBytes, JobThatWaitsForATimeOfItsOwnKeepsToTheAimToo) {
  SmallEngine engine;
  const auto later = [](SubmitView& job, uint32_t i) {
    job.head.not_before_ms = kStartNs / kMillisecondNs + 1'000'000 + i;
  };
  EXPECT_LE(bytes_a_job(engine, later), 240);
}

}  // namespace
}  // namespace pqd::ratchet
