// The death of the process at any moment, and a log with a torn end.
#include <fstream>
#include <random>

#include "tests/daemon/store/fixtures.h"

namespace pqd {
namespace {

using test::append_numbered;
using test::open_store;
using test::TempDir;

// Appends and syncs for ever, and tells each number once it is written.
void write_until_killed(const std::string& directory, int fd) {
  const auto store = open_store(directory);
  if (!store) return;
  for (uint64_t n = store->last_commit() + 1;; ++n) {
    if (!append_numbered(*store, n) || (n % 3 == 0 && !store->sync(n))) return;
    test::tell(fd, n);
  }
}

TEST(Crash, LeavesEveryCommitWhoseAppendReturned) {
  const TempDir dir;
  std::mt19937_64 random(2);
  uint64_t written = 0;
  for (int life = 0; life < 15; ++life) {
    {
      test::Child writer([&dir](int fd) { write_until_killed(dir.path(), fd); });
      const uint64_t enough = written + random() % 300 + 1;
      while (written < enough) {
        const auto number = writer.hear();
        ASSERT_TRUE(number);
        written = *number;
      }
      writer.kill();
      while (const auto number = writer.hear()) written = *number;
    }
    const auto store = open_store(dir.path());
    ASSERT_TRUE(store);
    EXPECT_GE(store->last_commit(), written);
    EXPECT_TRUE(test::holds_commits(*store, 1, store->last_commit()));
    written = store->last_commit();
  }
}

// After the checkpoint that covers n: job n is live and no other, jobs 1..n are done, the tables are those of
// n.
CheckpointBatch checkpoint_at(uint64_t n, uint64_t before) {
  CheckpointBatch batch;
  batch.covered = n;
  batch.tables = test::bytes_of(n, 3'000);
  batch.live_puts = {{n, test::bytes_of(n, 200)}};
  if (before != 0) {
    batch.live_deletes = {before};
    batch.dead_letter_deletes = {before};
  }
  batch.dead_letter_puts = {{n, JobId::make(n, 7, 0, n)}};
  for (uint64_t done = before + 1; done <= n; ++done)
    batch.done_puts.emplace_back(JobId::make(done, 7, 0, done), test::bytes_of(done, 300));
  return batch;
}

uint64_t covered_by(const Store& store) {
  const auto checkpoint = store.load_checkpoint().value();
  return checkpoint ? checkpoint->covered : 0;
}

constexpr uint64_t kCommitsOfACheckpoint = 4;

void checkpoint_until_killed(const std::string& directory, int fd) {
  const auto store = open_store(directory);
  if (!store) return;
  uint64_t before = covered_by(*store);
  for (uint64_t n = store->last_commit() + 1;; ++n) {
    if (!append_numbered(*store, n)) return;
    if (n % kCommitsOfACheckpoint != 0) continue;
    if (!store->checkpoint(checkpoint_at(n - 1, before))) return;
    before = n - 1;
    test::tell(fd, before);
  }
}

void expect_whole_checkpoint(const Store& store, uint64_t covered) {
  const auto checkpoint = store.load_checkpoint().value();
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->tables, test::bytes_of(covered, 3'000));
  std::vector<JobNo> live;
  ASSERT_TRUE(store.for_each_live([&live](JobNo job, ByteView) {
    live.push_back(job);
    return true;
  }));
  EXPECT_EQ(live, std::vector<JobNo>{covered});
  std::vector<JobNo> letters;
  ASSERT_TRUE(store.for_each_dead_letter([&letters](JobNo job, const JobId&) {
    letters.push_back(job);
    return true;
  }));
  EXPECT_EQ(letters, std::vector<JobNo>{covered});
  // Finished jobs are written ahead of the checkpoint that covers them, which may not have come.
  uint64_t next = covered;
  ASSERT_TRUE(store.for_each_done(std::nullopt, [&next, covered](const JobId& id, ByteView) {
    if (id.unix_ms() > covered)
      EXPECT_LE(id.unix_ms(), covered + kCommitsOfACheckpoint);
    else
      EXPECT_EQ(id.unix_ms(), next--);
    return true;
  }));
  EXPECT_EQ(next, 0u);
  ASSERT_TRUE(store.for_each_commit(1, [covered](uint64_t number, ByteView, ByteView block) {
    EXPECT_EQ(block.size(), number <= covered ? 0 : test::block_size(number)) << number;
    return true;
  }));
}

TEST(Crash, LeavesACheckpointWholeOrNotAtAll) {
  const TempDir dir;
  std::mt19937_64 random(3);
  uint64_t told = 0;
  for (int life = 0; life < 15; ++life) {
    {
      test::Child writer([&dir](int fd) { checkpoint_until_killed(dir.path(), fd); });
      for (uint64_t i = random() % 60 + 1; i > 0; --i) {
        const auto covered = writer.hear();
        ASSERT_TRUE(covered);
        told = *covered;
      }
      writer.kill();
      while (const auto covered = writer.hear()) told = *covered;
    }
    const auto store = open_store(dir.path());
    ASSERT_TRUE(store);
    const uint64_t covered = covered_by(*store);
    EXPECT_GE(covered, told);
    EXPECT_GE(store->last_commit(), covered);
    expect_whole_checkpoint(*store, covered);
  }
}

std::filesystem::path latest_log(const std::string& directory) {
  std::filesystem::path latest;
  for (const auto& file : std::filesystem::directory_iterator(directory + "/db")) {
    const bool log = file.path().extension() == ".log" && file.file_size() > 0;
    if (log && (latest.empty() || file.path().filename() > latest.filename())) latest = file.path();
  }
  return latest;
}

TEST(TornLog, LosesItsEndAndKeepsThePrefix) {
  for (const uintmax_t torn_bytes : {1u, 7u, 300u, 5'000u, 20'000u}) {
    const TempDir dir;
    {
      const auto store = open_store(dir.path());
      for (uint64_t n = 1; n <= 40; ++n) ASSERT_TRUE(append_numbered(*store, n));
    }
    const auto log = latest_log(dir.path());
    ASSERT_FALSE(log.empty());
    std::filesystem::resize_file(log, std::filesystem::file_size(log) - torn_bytes);
    const auto store = open_store(dir.path());
    ASSERT_TRUE(store);
    EXPECT_LT(store->last_commit(), 40u);
    EXPECT_GT(store->last_commit(), 25u);
    EXPECT_TRUE(test::holds_commits(*store, 1, store->last_commit()));
    EXPECT_TRUE(append_numbered(*store, store->last_commit() + 1));
  }
}

TEST(TornLog, WithGarbageAtItsEndKeepsThePrefix) {
  const TempDir dir;
  {
    const auto store = open_store(dir.path());
    for (uint64_t n = 1; n <= 40; ++n) ASSERT_TRUE(append_numbered(*store, n));
  }
  const auto log = latest_log(dir.path());
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(log));
  std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(size - 4'000);
  file << std::string(2'000, 'x');
  file.close();
  const auto store = open_store(dir.path());
  ASSERT_TRUE(store);
  EXPECT_LT(store->last_commit(), 40u);
  EXPECT_TRUE(test::holds_commits(*store, 1, store->last_commit()));
}

}  // namespace
}  // namespace pqd
