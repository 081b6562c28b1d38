#include <algorithm>

#include "daemon/store/store.h"
#include "tests/daemon/store/fixtures.h"

namespace pqd {
namespace {

using test::append_numbered;
using test::bytes_of;
using test::holds_commits;
using test::open_store;
using test::TempDir;

TEST(Store, IsEmptyWhenItIsNew) {
  const TempDir dir;
  const auto store = open_store(dir.path() + "/new");
  ASSERT_TRUE(store);
  EXPECT_EQ(store->last_commit(), 0u);
  EXPECT_FALSE(store->load_checkpoint().value().has_value());
  EXPECT_GT(store->database().free_bytes(), 0u);
}

TEST(Store, HasEveryCommitAgainAfterReopening) {
  const TempDir dir;
  {
    const auto store = open_store(dir.path());
    for (uint64_t n = 1; n <= 100; ++n) ASSERT_TRUE(append_numbered(*store, n));
    ASSERT_TRUE(store->sync(100));
    EXPECT_EQ(store->last_commit(), 100u);
  }
  const auto store = open_store(dir.path());
  EXPECT_EQ(store->last_commit(), 100u);
  EXPECT_TRUE(holds_commits(*store, 1, 100));
  EXPECT_TRUE(holds_commits(*store, 58, 100));
  EXPECT_TRUE(append_numbered(*store, 101));
  EXPECT_EQ(store->find_entry(77).value(), bytes_of(77, test::entry_size(77)));
  EXPECT_FALSE(store->find_entry(102).value().has_value());
}

TEST(StoreDeathTest, AbortsWhenACommitIsSkippedOrRepeated) {
  const TempDir dir;
  const auto try_number = [&dir](uint64_t number) {
    const auto store = open_store(dir.path());
    if (!append_numbered(*store, 1)) return;
    (void)append_numbered(*store, number);
  };
  EXPECT_EXIT(try_number(3), testing::KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(try_number(1), testing::KilledBySignal(SIGABRT), "");
}

TEST(Store, GivesEachStartAnEpochOfItsOwn) {
  const TempDir dir;
  for (uint32_t epoch = 1; epoch <= 3; ++epoch) {
    const auto store = open_store(dir.path());
    EXPECT_EQ(store->next_epoch().value(), epoch);
  }
}

TEST(Store, RefusesASecondOpenerAndNamesTheFirst) {
  const TempDir dir;
  test::Child owner([&dir](int fd) {
    const auto store = open_store(dir.path());
    test::tell(fd, store ? 1 : 0);
    ::pause();
  });
  ASSERT_EQ(owner.hear(), 1u);
  const auto second = Store::open({.directory = dir.path()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Error::kUnavailable);
  EXPECT_NE(second.error().text.find("pid " + std::to_string(owner.pid())), std::string::npos)
      << second.error().text;
  EXPECT_NE(second.error().text.find(dir.path()), std::string::npos) << second.error().text;
  owner.kill();
  EXPECT_TRUE(open_store(dir.path()));
}

TEST(Store, CanBeReadBesideItsOwner) {
  const TempDir dir;
  const auto owner = open_store(dir.path());
  for (uint64_t n = 1; n <= 20; ++n) ASSERT_TRUE(append_numbered(*owner, n));
  const auto logs = [&dir] {
    size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator(dir.path() + "/db"))
      count += file.path().filename().string().starts_with("LOG") ? 1u : 0u;
    return count;
  };
  const size_t logs_before = logs();
  auto reader = Store::open({.directory = dir.path(), .read_only = true});
  ASSERT_TRUE(reader) << reader.error().text;
  EXPECT_TRUE(holds_commits(**reader, 1, 20));
  EXPECT_EQ(logs(), logs_before);
  for (uint64_t n = 21; n <= 30; ++n) ASSERT_TRUE(append_numbered(*owner, n));
  EXPECT_EQ((*reader)->last_commit(), 20u);
}

TEST(Store, CannotBeWrittenWhenOpenedForReading) {
  const TempDir dir;
  { ASSERT_TRUE(append_numbered(*open_store(dir.path()), 1)); }
  auto reader = Store::open({.directory = dir.path(), .read_only = true});
  ASSERT_TRUE(reader) << reader.error().text;
  EXPECT_FALSE(append_numbered(**reader, 2));
  EXPECT_FALSE(Store::open({.directory = dir.path() + "/nothing", .read_only = true}));
}

CheckpointBatch batch_with_everything() {
  CheckpointBatch batch;
  batch.covered = 3;
  batch.tables = bytes_of(3, 50);
  batch.live_puts = {{10, bytes_of(10, 30)}, {11, bytes_of(11, 30)}};
  for (uint64_t n = 1; n <= 5; ++n) batch.done_puts.emplace_back(JobId::make(n, 7, 0, n), bytes_of(n, 20));
  batch.dead_letter_puts = {{3, JobId::make(3, 7, 0, 3)}, {4, JobId::make(4, 7, 0, 4)}};
  return batch;
}

TEST(Store, FindsWhatACheckpointPutIn) {
  const TempDir dir;
  {
    const auto store = open_store(dir.path());
    for (uint64_t n = 1; n <= 4; ++n) ASSERT_TRUE(append_numbered(*store, n));
    ASSERT_TRUE(store->checkpoint(batch_with_everything()));
  }
  const auto store = open_store(dir.path());
  const auto checkpoint = store->load_checkpoint().value();
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->covered, 3u);
  EXPECT_EQ(checkpoint->tables, bytes_of(3, 50));
  EXPECT_EQ(store->find_live(11).value(), bytes_of(11, 30));
  EXPECT_EQ(store->find_done(JobId::make(5, 7, 0, 5)).value(), bytes_of(5, 20));
  EXPECT_FALSE(store->find_done(JobId::make(6, 7, 0, 6)).value().has_value());
  std::vector<JobNo> live;
  ASSERT_TRUE(store->for_each_live([&](JobNo job, ByteView row) {
    EXPECT_TRUE(std::ranges::equal(row, bytes_of(job, 30)));
    live.push_back(job);
    return true;
  }));
  EXPECT_EQ(live, (std::vector<JobNo>{10, 11}));
  EXPECT_EQ(store->live_estimate(), 2u);
}

TEST(Store, KeepsTheJournalAndDropsTheBlocksThatACheckpointCovers) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  for (uint64_t n = 1; n <= 4; ++n) ASSERT_TRUE(append_numbered(*store, n));
  ASSERT_TRUE(store->checkpoint(batch_with_everything()));
  std::vector<std::pair<uint64_t, bool>> seen;
  ASSERT_TRUE(store->for_each_commit(1, [&](uint64_t number, ByteView entry, ByteView block) {
    EXPECT_EQ(entry.size(), test::entry_size(number));
    seen.emplace_back(number, !block.empty());
    return true;
  }));
  EXPECT_EQ(seen, (std::vector<std::pair<uint64_t, bool>>{{1, false}, {2, false}, {3, false}, {4, true}}));
}

TEST(Store, ListsFinishedJobsAndDeadLettersNewestFirst) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  ASSERT_TRUE(store->checkpoint(batch_with_everything()));
  const auto list = [&store](std::optional<JobId> older_than, size_t limit) {
    std::vector<uint64_t> ids;
    EXPECT_TRUE(store->for_each_done(older_than, [&](const JobId& id, ByteView) {
      ids.push_back(id.unix_ms());
      return ids.size() < limit;
    }));
    return ids;
  };
  EXPECT_EQ(list(std::nullopt, 10), (std::vector<uint64_t>{5, 4, 3, 2, 1}));
  EXPECT_EQ(list(JobId::make(3, 7, 0, 3), 10), (std::vector<uint64_t>{2, 1}));
  EXPECT_EQ(list(JobId::make(3, 7, 0, 9), 1), (std::vector<uint64_t>{3}));
  EXPECT_EQ(list(JobId::make(1, 7, 0, 1), 10), (std::vector<uint64_t>{}));
  std::vector<JobNo> letters;
  EXPECT_TRUE(store->for_each_dead_letter([&](JobNo job, const JobId& id) {
    EXPECT_EQ(id, JobId::make(job, 7, 0, job));
    letters.push_back(job);
    return true;
  }));
  EXPECT_EQ(letters, (std::vector<JobNo>{4, 3}));
}

TEST(Store, TakesRowsAwayWithALaterCheckpoint) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  ASSERT_TRUE(store->checkpoint(batch_with_everything()));
  CheckpointBatch later;
  later.covered = 3;
  later.live_deletes = {10};
  later.dead_letter_deletes = {3};
  later.done_deletes = {JobId::make(3, 7, 0, 3), JobId::make(4, 7, 0, 4)};
  later.done_puts = {{JobId::make(4, 7, 0, 4), bytes_of(44, 20)}};  // redriven, and finished again
  ASSERT_TRUE(store->checkpoint(later));
  EXPECT_FALSE(store->find_live(10).value().has_value());
  EXPECT_TRUE(store->find_live(11).value().has_value());
  EXPECT_FALSE(store->find_done(JobId::make(3, 7, 0, 3)).value().has_value());
  EXPECT_EQ(store->find_done(JobId::make(4, 7, 0, 4)).value(), bytes_of(44, 20));
}

TEST(Store, IsReadByManyThreadsWhileOneWrites) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> faults{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop.load()) {
        const uint64_t number = store->last_commit();
        if (number == 0) continue;
        const auto entry = store->find_entry(number);
        if (!entry || !*entry || **entry != bytes_of(number, test::entry_size(number))) ++faults;
        if (!store->for_each_done(std::nullopt, [](const JobId&, ByteView) { return true; })) ++faults;
      }
    });
  }
  for (uint64_t n = 1; n <= 500; ++n) {
    EXPECT_TRUE(append_numbered(*store, n));
    CheckpointBatch batch;
    batch.covered = n;
    batch.done_puts = {{JobId::make(n, 7, 0, n), bytes_of(n, 20)}};
    EXPECT_TRUE(n % 10 != 0 || store->checkpoint(batch));
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(faults.load(), 0u);
}

}  // namespace
}  // namespace pqd
