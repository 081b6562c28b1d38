// The rows of figures in the store: equal to a recount of the journal whatever was interrupted, gone when
// their time is over.
#include <random>

#include "daemon/store/recovery.h"
#include "daemon/store/row_fold.h"
#include "daemon/store/tuning.h"
#include "tests/daemon/store/expectations.h"

namespace pqd {
namespace {

using test::commit_to;
using test::figures_in;
using test::open_store;
using test::TempDir;
using test::Workload;

// What is not covered is folded after what is, as at a start, and checkpointed.
void fold_the_rest(Store& store) {
  const auto checkpoint = store.load_checkpoint().value();
  const uint64_t covered = checkpoint ? checkpoint->covered : 0;
  RowFold fold(store, checkpoint ? Tables::decode(checkpoint->tables).value() : Tables(), covered);
  ASSERT_TRUE(store.for_each_commit(covered + 1, [&fold](uint64_t number, ByteView entry, ByteView block) {
    return fold.fold(number, entry, block).has_value();
  }));
  if (fold.pending()) {
    ASSERT_TRUE(store.checkpoint(fold.take()));
  }
}

void compact(const std::string& directory, TimeNs now) {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto clock = std::make_shared<CheckpointClock>(now);
  const auto status = rocksdb::DB::Open(db_options(std::make_shared<StoreEventListener>(), nullptr),
                                        directory + "/db", families(std::span(&clock, 1)), &handles, &opened);
  const std::unique_ptr<rocksdb::DB> db(opened);
  ASSERT_TRUE(status.ok()) << status.ToString();
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  for (auto* handle : handles) {
    if (handle->GetName() == "metrics") {
      ASSERT_TRUE(db->CompactRange(options, handle, nullptr, nullptr).ok());
    }
    db->DestroyColumnFamilyHandle(handle);
  }
  db->Close();
}

TEST(MetricsInTheStore, AreARecountOfTheJournalWhereverItWasInterrupted) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const TempDir dir;
    const auto store = open_store(dir.path());
    Workload work(*store, seed);
    std::mt19937_64 random(seed);
    auto fold = std::make_unique<RowFold>(*store, Tables(), 0);
    for (int i = 0; i < 200; ++i) {
      const Commit commit = commit_to(*store, work);
      ASSERT_TRUE(fold->fold(commit.number, *commit.entry, *commit.block_bytes));
      if (random() % 8 == 0) {
        ASSERT_TRUE(store->checkpoint(fold->take()));
        work.retire(commit.number);
      }
      if (random() % 10 != 0) continue;
      // What was folded and is in no checkpoint goes with the process.
      fold_the_rest(*store);
      work.retire(commit.number);
      const auto checkpoint = store->load_checkpoint().value();
      fold =
          std::make_unique<RowFold>(*store, Tables::decode(checkpoint->tables).value(), checkpoint->covered);
    }
    fold_the_rest(*store);
    test::expect_figures(*store);
    EXPECT_FALSE(figures_in(*store).empty());
  }
}

TEST(MetricsInTheStore, StoreFromBeforeThereWereAnyHasThemFromItsOpeningOn) {
  const TempDir dir;
  auto store = open_store(dir.path());
  Workload work(*store, 5);
  commit_to(*store, work);
  fold_the_rest(*store);
  store.reset();
  {
    std::vector<std::string> names;
    const std::string path = dir.path() + "/db";
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::DBOptions(), path, families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    for (auto* handle : handles) {
      if (handle->GetName() == "metrics") {
        ASSERT_TRUE(db->DropColumnFamily(handle).ok());
      }
      db->DestroyColumnFamilyHandle(handle);
    }
  }
  store = open_store(dir.path());
  ASSERT_TRUE(store);
  EXPECT_TRUE(figures_in(*store).empty());
  const MetricsKey key{MetricsResolution::kHour, 3600 * kSecondNs, 1, 2};
  CheckpointBatch batch;
  batch.metrics = {{key, encode(MetricsRow{{.submitted = 1}, {}, {}})}};
  ASSERT_TRUE(store->checkpoint(batch));
  EXPECT_EQ(figures_in(*store).at(key).counts.submitted, 1u);
}

TEST(MetricsInTheStore, DamagedRowIsTheEndOfTheFoldAndNotAZero) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  Workload work(*store, 9);
  Commit first = commit_to(*store, work);
  RowFold fold(*store, {}, 0);
  ASSERT_TRUE(fold.fold(first.number, *first.entry, *first.block_bytes));
  CheckpointBatch batch = fold.take();
  while (batch.metrics.empty()) {
    first = commit_to(*store, work);
    ASSERT_TRUE(fold.fold(first.number, *first.entry, *first.block_bytes));
    batch = fold.take();
  }
  for (auto& [key, row] : batch.metrics) row.resize(1);
  ASSERT_TRUE(store->checkpoint(batch));
  RowFold next(*store, Tables::decode(batch.tables).value(), batch.covered);
  StoreResult<void> folded;
  for (int i = 0; i < 20 && folded; ++i) {
    const Commit commit = commit_to(*store, work);
    folded = next.fold(commit.number, *commit.entry, *commit.block_bytes);
  }
  ASSERT_FALSE(folded);
  EXPECT_EQ(folded.error().text, "a row of figures is damaged");
}

TEST(MetricsInTheStore, GoWithACompactionWhenTheirSpanIsOver) {
  const TempDir dir;
  const TimeNs now = start_of(MetricsResolution::kHour, 1'700'000'000 * kSecondNs);
  const auto key = [now](MetricsResolution resolution, TimeNs age) {
    return MetricsKey{resolution, start_of(resolution, now - age), 0, 0};
  };
  const std::vector<MetricsKey> kept = {key(MetricsResolution::kMinute, 0),
                                        key(MetricsResolution::kMinute, limits::kMetricsMinutesNs),
                                        key(MetricsResolution::kHour, 30 * limits::kMetricsMinutesNs),
                                        key(MetricsResolution::kHour, limits::kMetricsHoursNs)};
  const std::vector<MetricsKey> over = {
      key(MetricsResolution::kMinute, limits::kMetricsMinutesNs + 2 * limits::kMetricsGraceNs),
      key(MetricsResolution::kHour, limits::kMetricsHoursNs + 3 * limits::kMetricsGraceNs)};
  {
    const auto store = open_store(dir.path());
    CheckpointBatch batch;
    for (const auto* keys : {&kept, &over})
      for (const MetricsKey& at : *keys) batch.metrics.emplace_back(at, encode(MetricsRow{}));
    ASSERT_TRUE(store->checkpoint(batch));
  }
  compact(dir.path(), now);
  const auto rows = figures_in(*open_store(dir.path()));
  EXPECT_EQ(rows.size(), kept.size());
  for (const MetricsKey& at : kept) EXPECT_TRUE(rows.contains(at)) << at.start_ns;
}

}  // namespace
}  // namespace pqd
