// Rows of live jobs, packed as they were born: what counts, and when a pack goes.
#include "daemon/store/row_pack.h"

#include <algorithm>
#include <random>

#include "tests/daemon/store/damaged_store.h"
#include "tests/daemon/store/live_rows.h"

namespace pqd::test {
namespace {

TEST(PackHeadTest, TakesSoManyJobsAtGrowingDistances) {
  PackHead head;
  EXPECT_TRUE(head.add(0));
  EXPECT_FALSE(head.add(0)) << "the same again";
  EXPECT_FALSE(head.add(65'536)) << "too far";
  EXPECT_TRUE(head.add(65'535));
  EXPECT_FALSE(head.add(7)) << "back";
  PackHead full;
  for (JobNo i = 0; i < PackHead::kRowsMax; ++i) ASSERT_TRUE(full.add(2 * i));
  EXPECT_FALSE(full.add(2 * PackHead::kRowsMax));
  EXPECT_EQ(full.count(), PackHead::kRowsMax);
  EXPECT_EQ(full.find(126), std::optional<size_t>(63));
  EXPECT_EQ(full.find(125), std::nullopt);
}

TEST(PackHeadTest, ComesBackAsItWasWritten) {
  PackHead head;
  for (const JobNo distance : {0u, 3u, 4u, 900u}) ASSERT_TRUE(head.add(distance));
  head.strike(1);
  const auto back = PackHead::decode(head.encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->size(), 4u);
  EXPECT_EQ(back->count(), 3u);
  EXPECT_EQ(back->find(3), std::nullopt);
  EXPECT_EQ(back->find(900), std::optional<size_t>(3));
}

TEST(PackHeadTest, IsRefusedWhenItIsNone) {
  PackHead head;
  for (const JobNo distance : {0u, 3u, 4u}) ASSERT_TRUE(head.add(distance));
  const Bytes whole = head.encode();
  for (size_t cut = 0; cut < whole.size(); ++cut)
    EXPECT_FALSE(PackHead::decode(ByteView(whole).first(cut))) << cut;
  const auto with = [&whole](size_t at, int value) {
    Bytes other = whole;
    other[at] = static_cast<std::byte>(value);
    return PackHead::decode(other).has_value();
  };
  EXPECT_FALSE(with(0, 2)) << "another version";
  EXPECT_FALSE(with(1, 0)) << "nobody";
  EXPECT_FALSE(with(1, 65)) << "too many";
  EXPECT_FALSE(with(2, 0x0F)) << "a fourth that counts";
  EXPECT_FALSE(with(10, 1)) << "the first is not the first";
  EXPECT_FALSE(with(12, 9)) << "out of order";
  EXPECT_TRUE(with(2, 0x05));
}

TEST(PackedRowsTest, AreRefusedWhenTheyAreCutOrGoOn) {
  const std::vector<std::pair<JobNo, Bytes>> rows{{1, bytes_of(1, 40)}, {2, {}}, {3, bytes_of(3, 9)}};
  Bytes bytes = pack_rows(rows);
  const auto back = unpack_rows(bytes, 3);
  ASSERT_TRUE(back);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(std::ranges::equal((*back)[i], rows[i].second));
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_FALSE(unpack_rows(ByteView(bytes).first(cut), 3)) << cut;
  bytes.push_back({});
  EXPECT_FALSE(unpack_rows(bytes, 3));
}

class PackedRows : public ::testing::Test {
 protected:
  PackedRows() : store(open_store(directory.path())) {}

  static Bytes row(JobNo job, int life = 0) { return bytes_of(job * 10 + static_cast<JobNo>(life), 30); }
  void reopen() {
    store.reset();
    store = open_store(directory.path());
  }
  // Numbers from `from` on, every `step`th.
  CheckpointBatch births(JobNo from, size_t count, JobNo step = 1) {
    CheckpointBatch batch;
    for (size_t i = 0; i < count; ++i)
      batch.births.push_back(Birth{.job = from + i * step, .row = row(from + i * step)});
    return batch;
  }
  void put(const CheckpointBatch& batch) {
    ASSERT_TRUE(store->checkpoint(batch));
    expected.take(batch);
  }
  void expect_as_put() { expected.expect_in(*store); }
  size_t keys_in(const std::string& family) {
    store.reset();
    const size_t keys = DamagedStoreDatabase(directory.path()).count(family);
    store = open_store(directory.path());
    return keys;
  }
  struct DamagedStoreDatabase : DamagedStore {
    explicit DamagedStoreDatabase(const std::string& path) : database(path) {}
    void TestBody() override {}
    size_t count(const std::string& family) { return database.count(family); }
    Database database;
  };

  TempDir directory;
  std::unique_ptr<Store> store;
  LiveRows expected;
};

TEST_F(PackedRows, TakeAKeyForManyJobs) {
  put(births(1, 200));
  expect_as_put();
  EXPECT_EQ(store->live_estimate(), 200u);
  EXPECT_EQ(keys_in("packs"), 4u);
  EXPECT_EQ(keys_in("packed_rows"), 4u);
  EXPECT_EQ(keys_in("live"), 0u);
  expect_as_put();
}

TEST_F(PackedRows, ReachAsFarAsTheirHeadsDo) {
  put(births(1, 100, 5'000));
  expect_as_put();
  reopen();
  expect_as_put();
}

TEST_F(PackedRows, AreNotMadeOfAFewOrOfLargeOnes) {
  put(births(1, 7));
  CheckpointBatch large = births(100, 40);
  for (Birth& birth : large.births) birth.row = bytes_of(birth.job, 5'000);
  put(large);
  EXPECT_EQ(keys_in("packs"), 0u);
  EXPECT_EQ(keys_in("live"), 47u);
  expect_as_put();
}

TEST_F(PackedRows, AreFewerInAPackTheLargerTheyAre) {
  CheckpointBatch batch = births(1, 64);
  for (Birth& birth : batch.births) birth.row = bytes_of(birth.job, 4'000);
  put(batch);
  EXPECT_EQ(keys_in("packs"), 7u) << "nine rows are 32 KiB";
  EXPECT_EQ(keys_in("live"), 1u);
  expect_as_put();
}

TEST_F(PackedRows, CountNoMoreOnceTheirJobsHaveChangedOrEnded) {
  put(births(1, 64));
  CheckpointBatch batch = births(65, 64);
  batch.live_puts = {{3, row(3, 1)}, {9, row(9, 1)}};
  batch.live_deletes = {4, 64};
  put(batch);
  expect_as_put();
  reopen();
  expect_as_put();
  EXPECT_FALSE(store->find_live(4).value());
  EXPECT_EQ(store->live_estimate(), 126u);
  CheckpointBatch again;
  again.live_puts = {{3, row(3, 2)}};
  again.live_deletes = {9};
  put(again);
  expect_as_put();
  reopen();
  expect_as_put();
}

TEST_F(PackedRows, GoWithTheLastOfTheirJobs) {
  put(births(1, 64));
  CheckpointBatch batch;
  for (JobNo job = 1; job <= 64; ++job) batch.live_deletes.push_back(job);
  put(batch);
  expect_as_put();
  EXPECT_EQ(keys_in("packs") + keys_in("packed_rows") + keys_in("live"), 0u);
}

TEST_F(PackedRows, GiveUpTheirPackWhenFewAreLeft) {
  put(births(1, 64));
  CheckpointBatch batch;
  for (JobNo job = 1; job <= 48; ++job) batch.live_deletes.push_back(job);
  put(batch);
  EXPECT_EQ(keys_in("packs") + keys_in("packed_rows"), 0u) << "its bytes would be held by a quarter of them";
  EXPECT_EQ(keys_in("live"), 16u);
  expect_as_put();
}

TEST_F(PackedRows, AreWhatTheyWereAfterAnyChanges) {
  std::mt19937 random(11);
  JobNo next = 1;
  for (int turn = 0; turn < 120; ++turn) {
    CheckpointBatch batch = births(next, random() % 90, 1 + random() % 3);
    if (!batch.births.empty()) next = batch.births.back().job + 1;
    expected.change_some(random, next, batch);
    put(batch);
    if (turn % 10 == 9) reopen();
    if (turn % 4 == 0) expect_as_put();
  }
  expect_as_put();
}

}  // namespace
}  // namespace pqd::test
