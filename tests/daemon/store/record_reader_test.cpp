// Records that are read back out of packs of rows, beside the thread that writes checkpoints.
#include "daemon/store/record_reader.h"

#include <atomic>
#include <thread>

#include "tests/daemon/store/birth_packs.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

using Records = BirthPacks;

std::optional<Bytes> found(const StoreResult<std::optional<RecordsRead>>& read, JobNo job) {
  EXPECT_TRUE(read) << (read ? "" : read.error().text);
  if (!read || !*read) return std::nullopt;
  const auto record = (*read)->find(job);
  if (!record) return std::nullopt;
  return Bytes(record->begin(), record->end());
}

TEST_F(Records, AreThoseOfAllJobsOfThePack) {
  bear(1, 200);
  bear(300, 5);
  for (const JobNo job : {JobNo{1}, JobNo{64}, JobNo{65}, JobNo{200}, JobNo{300}, JobNo{304}})
    EXPECT_EQ(found(find_records(*store, job, row_of(job).core.id), job), record_of(job)) << job;
  EXPECT_EQ(find_records(*store, 250, row_of(250).core.id).value(), std::nullopt);
  const auto read = find_records(*store, 70, row_of(70).core.id);
  for (JobNo job = 65; job <= 128; ++job) EXPECT_EQ(found(read, job), record_of(job)) << job;
  EXPECT_EQ(found(read, 64), std::nullopt);
  EXPECT_EQ(found(read, 129), std::nullopt);
}

TEST_F(Records, AreThoseOfThePacksThatFollowToo) {
  bear(1, 200);
  const auto read = find_records(*store, 70, row_of(70).core.id, 2);
  EXPECT_EQ(found(read, 64), std::nullopt);
  for (JobNo job = 65; job <= 192; ++job) EXPECT_EQ(found(read, job), record_of(job)) << job;
  EXPECT_EQ(found(read, 193), std::nullopt);
  EXPECT_EQ(found(find_records(*store, 193, row_of(193).core.id, 100), 200), record_of(200));
}

// Most jobs leave a queue as they came.
TEST_F(Records, AreReadFurtherAheadForWhoAsksForOneAfterTheOther) {
  bear(1, 20 * 64);
  RecordReader reader(*store);
  size_t looks = 0;
  for (JobNo job = 1, last = 0; job <= 20 * 64; ++job) {
    if (job <= last) continue;
    const auto read = reader.find(job, row_of(job).core.id);
    ASSERT_EQ(found(read, job), record_of(job));
    last = (*read)->jobs.back().job;
    ++looks;
  }
  EXPECT_LE(looks, 5u);
  EXPECT_EQ((*reader.find(1, row_of(1).core.id))->jobs.back().job, 64u) << "and no further for who does not";
}

TEST_F(Records, OfLargeJobsAreNotReadFarAhead) {
  for (JobNo job = 1; job <= 8; ++job) bear(job, 1, 100'000);
  const auto read = find_records(*store, 1, row_of(1).core.id, 8);
  EXPECT_EQ(found(read, 1), bytes_of(1, 100'000));
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->jobs.size(), 3u);
}

TEST_F(Records, OfPacksOfWholeRowsAreReadAsWell) {
  bear_a_few_each(1, 40);
  ASSERT_EQ(keys_in("packs"), 1u);
  const auto read = find_records(*store, 9, row_of(9).core.id);
  for (JobNo job = 1; job <= 40; ++job) EXPECT_EQ(found(read, job), record_of(job)) << job;
}

TEST_F(Records, AreThereOfThoseThatCountNoMore) {
  bear(1, 64);
  JobRow changed = row_of(7);
  changed.note = "changed";
  changed.record = record_of(7);
  CheckpointBatch batch;
  batch.live_puts.emplace_back(7, encode_row(changed));
  put(batch);
  EXPECT_EQ(found(find_records(*store, 7, changed.core.id), 7), record_of(7));
  end(8, 60);
  EXPECT_EQ(found(find_records(*store, 7, changed.core.id), 7), record_of(7)) << "the pack is gone";
  EXPECT_EQ(found(find_records(*store, 64, row_of(64).core.id), 64), record_of(64));
}

TEST_F(Records, OfJobsThatHaveEndedAreThoseOfTheirRows) {
  bear(1, 64);
  JobRow ended = row_of(7);
  ended.core.state = JobState::kCompleted;
  ended.record = record_of(7);
  CheckpointBatch batch;
  batch.live_deletes = {7};
  batch.done_puts.emplace_back(ended.core.id, encode_row(ended));
  put(batch);
  end(1, 6);
  end(8, 64);
  EXPECT_EQ(found(find_records(*store, 7, ended.core.id), 7), record_of(7));
  EXPECT_EQ(find_records(*store, 8, row_of(8).core.id).value(), std::nullopt) << "nobody has this row";
}

TEST_F(Records, AreRefusedWithoutThePieceThatTheyStandIn) {
  bear(1, 64);
  store.reset();
  Database(path()).remove_all("blocks");
  store = open_store(path());
  const auto read = find_records(*store, 7, row_of(7).core.id);
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().text.find("have lost their records") != std::string::npos) << read.error().text;
}

TEST_F(Records, AreReadWhileCheckpointsGiveTheirPacksUp) {
  constexpr JobNo kStaying = 64;  // and each 64th from there on: one of a pack
  bear(1, 64);
  std::atomic<JobNo> born{64};
  std::atomic<bool> over{false};
  std::atomic<uint64_t> looks{0};
  std::thread reader([&] {
    for (JobNo job = kStaying; !over; job = job >= born ? kStaying : job + 64) {
      EXPECT_EQ(found(find_records(*store, job, row_of(job).core.id), job), record_of(job)) << job;
      ++looks;
    }
  });
  for (JobNo from = 65; from < 65 + 60 * 64; from += 64) {
    bear(from, 64);
    born = from + 63;
    end(from - 64, from - 2);
  }
  EXPECT_TRUE(eventually([&] { return looks > 100; }));
  over = true;
  reader.join();
  expect_as_put();
}

}  // namespace
}  // namespace pqd::test
