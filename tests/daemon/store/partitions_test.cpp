// Several partitions in one store: each its own history, all of them one database, one log, one format.
#include <array>
#include <thread>

#include "daemon/store/backup.h"
#include "daemon/store/raw_database.h"
#include "daemon/store/recovery.h"
#include "daemon/store/salvage.h"
#include "tests/daemon/store/damaged_store.h"

namespace pqd::test {
namespace {

using Shared = std::shared_ptr<pqd::Database>;
constexpr std::array<PartitionNo, 2> kBoth{0, 1};

Shared open_database(const std::string& directory, uint32_t partitions = 2) {
  auto database = pqd::Database::open({.directory = directory, .partitions = partitions});
  if (!database) ADD_FAILURE() << database.error().text;
  return database ? std::move(*database) : nullptr;
}

std::unique_ptr<Store> open_partition(const Shared& database, PartitionNo partition) {
  auto store = Store::open(database, partition);
  if (!store) ADD_FAILURE() << store.error().text;
  return store ? std::move(*store) : nullptr;
}

TEST(Partitions, HaveTheirOwnCommitsUnderTheSameNumbers) {
  const TempDir dir;
  {
    const Shared database = open_database(dir.path());
    const auto first = open_partition(database, 0);
    const auto second = open_partition(database, 1);
    for (uint64_t n = 1; n <= 5; ++n) ASSERT_TRUE(append_numbered(*first, n));
    ASSERT_TRUE(second->append(1, Bytes(10), Bytes(20)));
    ASSERT_TRUE(second->sync(1));
  }
  const Shared database = open_database(dir.path(), 0);
  ASSERT_EQ(database->partitions(), 2u);
  EXPECT_TRUE(holds_commits(*open_partition(database, 0), 1, 5));
  const auto second = open_partition(database, 1);
  EXPECT_EQ(second->last_commit(), 1u);
  EXPECT_EQ(second->find_entry(1).value(), Bytes(10));
}

TEST(Partitions, GoOnBehindTheirOwnLastCommit) {
  const TempDir dir;
  const Shared database = open_database(dir.path());
  const auto first = open_partition(database, 0);
  const auto second = open_partition(database, 1);
  for (uint64_t n = 1; n <= 3; ++n) {
    ASSERT_TRUE(append_numbered(*first, n));
    ASSERT_TRUE(append_numbered(*second, n));
  }
  ASSERT_TRUE(second->go_on_after(1));
  EXPECT_TRUE(holds_commits(*first, 1, 3));
  EXPECT_TRUE(holds_commits(*second, 1, 1));
  EXPECT_EQ(first->next_epoch().value(), 1u);
  EXPECT_EQ(second->next_epoch().value(), 1u);
  EXPECT_EQ(second->next_epoch().value(), 2u);
  EXPECT_EQ(first->next_epoch().value(), 2u) << "an epoch is given out by the partition";
}

TEST(Partitions, AreAsManyAsTheStoreWasMadeWith) {
  const TempDir dir;
  open_database(dir.path(), 4);
  EXPECT_EQ(read_file(dir.path() + "/format"), "pqd 402\n");
  const auto other = pqd::Database::open({.directory = dir.path(), .partitions = 2});
  ASSERT_FALSE(other);
  EXPECT_EQ(
      other.error().text,
      "[engine] partitions = 2, but the store was made with 4, which cannot be changed: set partitions = "
      "4, or give pqd a new state_dir in place of " +
          dir.path());
  EXPECT_EQ(open_database(dir.path(), 4)->partitions(), 4u);
}

TEST(Partitions, OfAStoreWithOneAreAnEarlierPqdsStore) {
  const TempDir dir;
  open_database(dir.path(), 1);
  EXPECT_EQ(read_file(dir.path() + "/format"), "pqd 1\n");
  EXPECT_FALSE(pqd::Database::open({.directory = dir.path(), .partitions = 2}));
}

// Its queues are in other partitions than today's partition_of() says.
TEST(Partitions, OfAStoreThatPlacedItsQueuesByAnotherHashAreRefusedAndLeftAlone) {
  const TempDir dir;
  open_database(dir.path(), 4);
  write_file(dir.path() + "/format", "pqd 401\n");
  const auto before = std::filesystem::last_write_time(dir.path() + "/db");
  const auto database = pqd::Database::open({.directory = dir.path(), .partitions = 4});
  ASSERT_FALSE(database);
  EXPECT_TRUE(database.error().text.ends_with(
      " has format 1 with 4 partitions, this pqd knows format 2: use the pqd that wrote it"))
      << database.error().text;
  EXPECT_EQ(std::filesystem::last_write_time(dir.path() + "/db"), before);
}

TEST(Partitions, BeyondWhatThereMayBeAreNoFormat) {
  for (const char* text : {"pqd 102\n", "pqd 6502\n", "pqd 203\n", "pqd 2\n"}) {
    const TempDir dir;
    write_file(dir.path() + "/format", text);
    const auto store = Store::open({.directory = dir.path()});
    ASSERT_FALSE(store) << text;
    EXPECT_NE(store.error().text.find("use the pqd that wrote it"), std::string::npos) << store.error().text;
  }
}

// The owner is killed while both are written to and synced by threads of their own.
TEST(Partitions, KeepWhatTheyHaveSyncedWhoeverWritesBesideThem) {
  const TempDir dir;
  Child owner([&dir](int fd) {
    const Shared database = open_database(dir.path());
    const auto work = [&](PartitionNo partition) {
      const auto store = open_partition(database, partition);
      for (uint64_t n = 1;; ++n) {
        if (!append_numbered(*store, n) || !store->sync(n)) ::_exit(1);
        tell(fd, n * 2 + partition);
      }
    };
    std::thread beside(work, PartitionNo{1});
    work(0);
  });
  std::array<uint64_t, 2> synced{};
  while (std::ranges::min(synced) < 100) {
    const auto told = owner.hear();
    ASSERT_TRUE(told);
    synced[*told % 2] = *told / 2;
  }
  owner.kill();
  while (const auto told = owner.hear()) synced[*told % 2] = *told / 2;
  const Shared database = open_database(dir.path());
  for (const PartitionNo partition : kBoth) {
    const auto store = open_partition(database, partition);
    EXPECT_GE(store->last_commit(), synced[partition]);
    EXPECT_TRUE(holds_commits(*store, 1, store->last_commit()));
  }
}

// Both with a history of their own, a checkpoint and a witness.
class PartitionsTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kCommits = 40;

  void SetUp() override {
    const Shared database = open_database(path());
    for (const PartitionNo partition : kBoth) fill(database, partition);
  }

  void fill(const Shared& database, PartitionNo partition) {
    const auto store = open_partition(database, partition);
    auto witness = Witness::open(path(), partition).value();
    Workload work(*store, 7u + partition);
    RowFold fold(*store, {}, 0);
    for (uint64_t i = 1; i <= kCommits; ++i) {
      const Commit commit = work.commit();
      ASSERT_TRUE(store->append(commit.number, *commit.entry, *commit.block_bytes, commit.cuts));
      ASSERT_TRUE(fold.fold(commit.number, *commit.entry, *commit.block_bytes));
      if (i + 5 == kCommits) {
        ASSERT_TRUE(store->checkpoint(fold.take()));
      }
    }
    ASSERT_TRUE(store->sync(kCommits));
    ASSERT_TRUE(witness.record({work.last_number(), work.last_hash()}));
    pictures_[partition] = picture_of(work.state());
  }

  void expect_all_there(const std::string& directory) {
    const Shared database = open_database(directory);
    for (const PartitionNo partition : kBoth) {
      State state;
      const auto recovered =
          recover(*open_partition(database, partition), Witness::read(directory, partition).value(), state,
                  [](uint64_t, ByteView, ByteView) { return true; });
      ASSERT_TRUE(recovered) << recovered.error().text;
      EXPECT_TRUE(picture_of(state) == pictures_[partition]) << "partition " << int{partition};
    }
  }

  // Behind the store's back.
  template <class Change>
  void change(Change change) {
    auto raw = RawDatabase::open(path() + "/db", RawDatabase::Mode::kWrite, 2);
    ASSERT_TRUE(raw);
    change(*raw);
  }

  const std::string& path() const { return directory_.path(); }
  std::string to() const { return elsewhere_.path("other"); }

  TempDir directory_;
  TempDir elsewhere_;
  std::array<Picture, 2> pictures_;
};

TEST_F(PartitionsTest, RecoverToTheirOwnStates) {
  EXPECT_FALSE(pictures_[0] == pictures_[1]) << "else this shows nothing";
  expect_all_there(path());
}

TEST_F(PartitionsTest, AreCheckedTogether) {
  const StoreReport report = check_store(path());
  for (const StoreFault& fault : report.faults) ADD_FAILURE() << fault.part << ": " << fault.text;
  EXPECT_TRUE(report.starts);
  EXPECT_EQ(report.partitions, 2u);
  EXPECT_EQ(report.commits, 2 * kCommits);
  EXPECT_EQ(report.live_jobs, pictures_[0].live.size() + pictures_[1].live.size());
}

TEST_F(PartitionsTest, AreToldApartByTheCheck) {
  change([](RawDatabase& raw) {
    EXPECT_TRUE(raw.db().Delete({}, raw.family("journal.1"), number_key(12)).ok());
  });
  const StoreReport report = check_store(path());
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_EQ(report.faults[0].part, "journal");
  EXPECT_EQ(report.faults[0].text, "partition 1: the commits 12 to 12 are missing");
}

TEST_F(PartitionsTest, HaveAWitnessEach) {
  change([](RawDatabase& raw) {
    EXPECT_TRUE(raw.db().Delete({}, raw.family("journal.1"), number_key(kCommits)).ok());
  });
  const StoreReport report = check_store(path());
  EXPECT_FALSE(report.starts);
  ASSERT_FALSE(report.faults.empty());
  EXPECT_NE(report.faults[0].text.find("partition 1: the journal ends at commit 39"), std::string::npos)
      << report.faults[0].text;
}

TEST_F(PartitionsTest, AreInABackupAndComeBackFromIt) {
  {
    const Shared database = open_database(path());
    const auto report = take_backup(database->copy_beside().value(), to());
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_EQ(report->partitions, 2u);
  }
  for (const PartitionNo partition : kBoth)
    EXPECT_EQ(Witness::read(to(), partition).value().value().commit, kCommits);
  expect_all_there(to());
}

TEST_F(PartitionsTest, AreSalvagedWhole) {
  std::filesystem::remove(path() + "/db/CURRENT");
  const auto report = salvage_store(path(), to());
  ASSERT_TRUE(report) << report.error().text;
  EXPECT_TRUE(report->files_listed_anew);
  for (const std::string& lost : report->lost) ADD_FAILURE() << "lost: " << lost;
  EXPECT_TRUE(report->after.faults.empty());
  EXPECT_EQ(report->last_commit, 2 * kCommits);
  expect_all_there(to());
}

TEST_F(PartitionsTest, LoseNothingToEachOthersDamage) {
  change([](RawDatabase& raw) {
    EXPECT_TRUE(raw.db().Delete({}, raw.family("journal.1"), number_key(38)).ok());
  });
  const auto report = salvage_store(path(), to());
  ASSERT_TRUE(report) << report.error().text;
  ASSERT_FALSE(report->lost.empty());
  for (const std::string& lost : report->lost) EXPECT_TRUE(lost.starts_with("partition 1: ")) << lost;
  EXPECT_EQ(report->last_commit, kCommits + 37);
}

}  // namespace
}  // namespace pqd::test
