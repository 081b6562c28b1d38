// Idempotency keys go from the store when their time is over, and not before.
#include "daemon/store/expired_rows.h"

#include "daemon/store/tuning.h"
#include "tests/daemon/store/fixtures.h"

namespace pqd {
namespace {

using test::open_store;
using test::TempDir;

constexpr ShortHash kOver{1};
constexpr ShortHash kKept{2};
constexpr TimeNs kNow = 1'700'000'000 * kSecondNs;

TEST(ExpiredKeys, GoWithACompactionAndOthersStay) {
  const TempDir dir;
  {
    const auto store = open_store(dir.path());
    CheckpointBatch batch;
    batch.now_ns = kNow;
    batch.keys = {{kOver, KeptKey{{}, {1, 1}, kNow}}, {kKept, KeptKey{{}, {1, 2}, kNow + 1}}};
    ASSERT_TRUE(store->checkpoint(batch));
    EXPECT_TRUE(store->find_key(kOver).value()) << "a reader has to look at the time for himself";
  }
  {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    const auto clock = std::make_shared<CheckpointClock>(kNow);
    const auto status =
        rocksdb::DB::Open(db_options(std::make_shared<StoreEventListener>(), nullptr), dir.path() + "/db",
                          families(std::span(&clock, 1)), &handles, &opened);
    const std::unique_ptr<rocksdb::DB> db(opened);
    ASSERT_TRUE(status.ok()) << status.ToString();
    for (auto* handle : handles) {
      if (handle->GetName() == "keys") {
        rocksdb::CompactRangeOptions options;
        options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
        ASSERT_TRUE(db->CompactRange(options, handle, nullptr, nullptr).ok());
      }
      db->DestroyColumnFamilyHandle(handle);
    }
    db->Close();
  }
  const auto store = open_store(dir.path());
  EXPECT_FALSE(store->find_key(kOver).value());
  ASSERT_TRUE(store->find_key(kKept).value());
  EXPECT_EQ(store->find_key(kKept).value()->first, (JobId{1, 2}));
}

}  // namespace
}  // namespace pqd
