// What the disk can do to the store: lose what was not synced, refuse, fill up.
#include <sys/mount.h>

#include <random>

#include "tests/daemon/store/fixtures.h"
#include "tests/daemon/store/unsteady_env.h"

namespace pqd {
namespace {

using test::append_numbered;
using test::open_store;
using test::TempDir;
using test::UnsteadyEnv;

std::unique_ptr<Store> open_on(UnsteadyEnv& env, const std::string& directory) {
  auto store = Store::open({.directory = directory, .env = &env});
  if (!store) ADD_FAILURE() << store.error().text;
  return store ? std::move(*store) : nullptr;
}

TEST(PowerCut, LosesNothingThatWasSynced) {
  const TempDir dir;
  std::mt19937_64 random(1);
  uint64_t synced = 0;
  uint64_t checkpointed = 0;
  for (int life = 0; life < 12; ++life) {
    UnsteadyEnv env;
    auto store = open_on(env, dir.path());
    ASSERT_TRUE(store);
    ASSERT_GE(store->last_commit(), synced);
    const auto checkpoint = store->load_checkpoint().value();
    const uint64_t covered = checkpoint ? checkpoint->covered : 0;
    EXPECT_GE(covered, checkpointed);
    EXPECT_LE(covered, store->last_commit());
    EXPECT_TRUE(test::holds_commits(*store, covered + 1, store->last_commit()));
    uint64_t covered_unsynced = covered;
    for (uint64_t i = random() % 400; i > 0; --i) {
      const uint64_t number = store->last_commit() + 1;
      ASSERT_TRUE(append_numbered(*store, number));
      if (random() % 20 == 0) {
        CheckpointBatch batch;
        batch.covered = covered_unsynced = number - random() % 3 % number;
        ASSERT_TRUE(store->checkpoint(batch));
      }
      if (random() % 8 != 0) continue;
      ASSERT_TRUE(store->sync(number));
      synced = number;
      checkpointed = covered_unsynced;
    }
    env.cut_power();
    store.reset();
    env.drop_unsynced();
  }
}

// The rig itself: were this to keep more, the other cases would prove nothing.
TEST(PowerCut, TakesAwayWhatWasNotSynced) {
  const TempDir dir;
  UnsteadyEnv env;
  auto store = open_on(env, dir.path());
  for (uint64_t n = 1; n <= 10; ++n) ASSERT_TRUE(append_numbered(*store, n));
  ASSERT_TRUE(store->sync(10));
  for (uint64_t n = 11; n <= 20; ++n) ASSERT_TRUE(append_numbered(*store, n));
  env.cut_power();
  store.reset();
  env.drop_unsynced();
  EXPECT_EQ(open_on(env, dir.path())->last_commit(), 10u);
}

// 80 MiB fill the blocks' write buffer, so that the log changes between the first commit and the sync.
TEST(PowerCut, SparesSyncedCommitsInAnEarlierLogToo) {
  const TempDir dir;
  UnsteadyEnv env;
  auto store = open_on(env, dir.path());
  const Bytes block(1 << 20, std::byte{7});
  for (uint64_t n = 1; n <= 80; ++n) ASSERT_TRUE(store->append(n, test::bytes_of(n, 100), block));
  ASSERT_TRUE(store->sync(80));
  env.cut_power();
  store.reset();
  env.drop_unsynced();
  store = open_on(env, dir.path());
  ASSERT_TRUE(store);
  EXPECT_EQ(store->last_commit(), 80u);
  uint64_t whole = 0;
  ASSERT_TRUE(store->for_each_commit(1, [&](uint64_t, ByteView, ByteView found) {
    whole += std::ranges::equal(found, block) ? 1u : 0u;
    return true;
  }));
  EXPECT_EQ(whole, 80u);
}

TEST(Disk, ThatFailsASyncIsNeverTrustedAgain) {
  const TempDir dir;
  UnsteadyEnv env;
  auto store = open_on(env, dir.path());
  ASSERT_TRUE(append_numbered(*store, 1));
  ASSERT_TRUE(store->sync(1));
  ASSERT_TRUE(append_numbered(*store, 2));
  env.fail_sync = true;
  const auto failed = store->sync(2);
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().fatal);
  env.fail_sync = false;
  EXPECT_FALSE(store->sync(2));
  EXPECT_FALSE(append_numbered(*store, 3));
  EXPECT_FALSE(store->checkpoint({}));
  EXPECT_FALSE(store->next_epoch());
  EXPECT_EQ(store->last_commit(), 2u);
  store.reset();
  store = open_on(env, dir.path());
  EXPECT_GE(store->last_commit(), 1u);
  EXPECT_TRUE(append_numbered(*store, store->last_commit() + 1));
}

TEST(Disk, ThatIsFullSaysSoAndWhatToDo) {
  const TempDir dir;
  UnsteadyEnv env;
  const auto store = open_on(env, dir.path());
  ASSERT_TRUE(append_numbered(*store, 1));
  env.full = true;
  const auto failed = append_numbered(*store, 2);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Error::kNoSpace);
  EXPECT_TRUE(failed.error().fatal);
  EXPECT_NE(failed.error().text.find("free space"), std::string::npos) << failed.error().text;
  env.full = false;
  EXPECT_FALSE(append_numbered(*store, 2));
}

TEST(Disk, ThatFailsBehindTheScenesStopsTheNextWrite) {
  const TempDir dir;
  UnsteadyEnv env;
  const auto store = open_on(env, dir.path());
  env.fail_new_tables = true;
  const Bytes block(1 << 20, std::byte{7});
  StoreResult<void> result;
  uint64_t number = 0;
  EXPECT_TRUE(test::comes_true([&] {
    ++number;
    result = store->append(number, test::bytes_of(number, 100), block);
    return !result.has_value();
  }));
  EXPECT_GT(number, 60u);
  EXPECT_TRUE(result.error().fatal);
  env.fail_new_tables = false;
  EXPECT_FALSE(store->append(number, test::bytes_of(number, 100), block));
}

// A file system of its own, of a given size; `mounted()` is false where that is not permitted.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) { mounted_ = mount(size, 0); }
  ~SmallDisk() {
    if (mounted_) ::umount2(dir_.path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  bool resize(const std::string& size) { return mount(size, MS_REMOUNT); }
  std::string path() const { return dir_.path() + "/state"; }

 private:
  bool mount(const std::string& size, unsigned long flags) {
    return ::mount("tmpfs", dir_.path().c_str(), "tmpfs", flags, ("size=" + size).c_str()) == 0;
  }
  TempDir dir_;
  bool mounted_ = false;
};

TEST(Disk, TooSmallToStartIsRefusedWithARemedy) {
  SmallDisk disk("8m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a tmpfs is not permitted here";
  const auto store = Store::open({.directory = disk.path()});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Error::kNoSpace);
  EXPECT_NE(store.error().text.find("free space, then start again"), std::string::npos) << store.error().text;
  ASSERT_TRUE(disk.resize("64m"));
  EXPECT_TRUE(open_store(disk.path()));
}

TEST(Disk, ThatFillsUpLosesNothingThatWasAcknowledged) {
  SmallDisk disk("40m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a tmpfs is not permitted here";
  uint64_t number = 0;
  {
    const auto store = open_store(disk.path());
    const uint64_t free_at_start = store->database().free_bytes();
    const Bytes block(1 << 20, std::byte{7});
    StoreResult<void> result;
    while (result && number < 100) {
      result = store->append(number + 1, test::bytes_of(number + 1, 100), block);
      if (result) result = store->sync(number + 1);
      if (result) ++number;
    }
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Error::kNoSpace) << result.error().text;
    EXPECT_LT(store->database().free_bytes(), free_at_start / 4);
  }
  ASSERT_TRUE(disk.resize("200m"));
  const auto store = open_store(disk.path());
  ASSERT_TRUE(store);
  EXPECT_GE(store->last_commit(), number);
}

}  // namespace
}  // namespace pqd
