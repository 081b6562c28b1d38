#include "daemon/store/row_fold.h"

#include <cstring>

#include "core/journal_entry.h"
#include "daemon/store/recovery.h"
#include "tests/daemon/store/expectations.h"

namespace pqd {
namespace {

using test::commit_to;
using test::expect_rows;
using test::open_store;
using test::TempDir;
using test::Workload;

TEST(RowFold, ThatGoesOnFromARecoveryComesToTheSameRows) {
  const TempDir dir;
  auto store = open_store(dir.path());
  Workload work(*store, 20);
  {
    RowFold fold(*store, {}, 0);
    for (int i = 0; i < 150; ++i) {
      const Commit commit = commit_to(*store, work);
      ASSERT_TRUE(fold.fold(commit.number, *commit.entry, *commit.block_bytes));
      ASSERT_TRUE(i != 100 || store->checkpoint(fold.take()));
    }
  }
  State state;
  const auto witness = Witness::open(dir.path()).value();
  const auto recovered = recover(*store, witness, state, [](uint64_t, ByteView, ByteView) { return true; });
  ASSERT_TRUE(recovered) << recovered.error().text;
  RowFold fold(*store, recovered->checkpoint_tables, recovered->covered);
  ASSERT_TRUE(
      store->for_each_commit(recovered->covered + 1, [&](uint64_t number, ByteView entry, ByteView block) {
        return fold.fold(number, entry, block).has_value();
      }));
  EXPECT_EQ(fold.folded(), 150u);
  ASSERT_TRUE(store->checkpoint(fold.take()));
  expect_rows(*store, work);
}

// A store that counts what is read of live jobs.
class CountedReads final : public StoreView {
 public:
  explicit CountedReads(const Store& store) : store_(store) {}

  mutable uint64_t reads = 0;

  StoreResult<std::optional<Bytes>> find_live(JobNo job) const override {
    ++reads;
    return store_.find_live(job);
  }
  StoreResult<std::optional<Checkpoint>> load_checkpoint() const override { return store_.load_checkpoint(); }
  StoreResult<void> for_each_live(const RowVisitor& f) const override { return store_.for_each_live(f); }
  StoreResult<void> for_each_commit(uint64_t from, const CommitVisitor& f) const override {
    return store_.for_each_commit(from, f);
  }
  StoreResult<uint64_t> known_synced() const override { return store_.known_synced(); }
  uint64_t live_estimate() const override { return store_.live_estimate(); }
  StoreResult<std::optional<Bytes>> find_done(const JobId& id) const override { return store_.find_done(id); }
  StoreResult<std::optional<Bytes>> find_entry(uint64_t number) const override {
    return store_.find_entry(number);
  }
  StoreResult<std::optional<KeptKey>> find_key(const ShortHash& key) const override {
    return store_.find_key(key);
  }
  StoreResult<std::optional<Bytes>> find_metrics(const MetricsKey& key) const override {
    return store_.find_metrics(key);
  }

 private:
  const Store& store_;
};

// What a fold that remembers so many bytes reads of live jobs.
uint64_t reads_of_live_jobs(size_t remembered_bytes) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  const CountedReads counted(*store);
  Workload work(*store, 21);
  RowFold fold(counted, {}, 0, remembered_bytes);
  for (int i = 0; i < 200; ++i) {
    const Commit commit = commit_to(*store, work);
    EXPECT_TRUE(fold.fold(commit.number, *commit.entry, *commit.block_bytes));
    EXPECT_TRUE(i % 10 != 9 || store->checkpoint(fold.take()));
  }
  expect_rows(*store, work);
  return counted.reads;
}

TEST(RowFold, ReadsNoRowThatItRemembers) {
  EXPECT_EQ(reads_of_live_jobs(RowFold::kRememberedBytes), 0u);
  EXPECT_GT(reads_of_live_jobs(0), 0u);
}

// A job that lives on must not keep the block of its commit in memory for long.
TEST(RowFold, HoldsNoMoreBytesOfBlocksThanItMay) {
  constexpr size_t kHeldBytes = 64 * 1'024;
  const TempDir dir;
  const auto store = open_store(dir.path());
  Workload work(*store, 23);
  RowFold fold(*store, {}, 0, RowFold::kRememberedBytes, kHeldBytes);
  std::vector<std::pair<std::weak_ptr<const Bytes>, size_t>> blocks;
  for (int i = 0; i < 200; ++i) {
    const Commit commit = commit_to(*store, work);
    auto block = std::make_shared<const Bytes>(*commit.block_bytes);
    blocks.emplace_back(block, block->size());
    ASSERT_TRUE(fold.fold(commit.number, *commit.entry, std::move(block)));
    size_t held = 0;
    for (const auto& [there, bytes] : blocks) held += there.expired() ? 0 : bytes;
    ASSERT_LE(held, kHeldBytes) << "after commit " << commit.number;
  }
  EXPECT_GT(fold.pending_bytes(), kHeldBytes);
  ASSERT_TRUE(store->checkpoint(fold.take()));
  expect_rows(*store, work);
}

TEST(RowFold, HasIdempotencyKeysInTheirOrderAndOfEachWhatWasSaidLast) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  std::mt19937_64 random(4);
  const auto some_key = [&random] {
    ShortHash key;
    for (uint8_t& byte : key) byte = static_cast<uint8_t>(random());
    return key;
  };
  const KeptKey early{{}, {1, 1}, 1'000 * kSecondNs};
  const KeptKey late{{}, {1, 2}, 2'000 * kSecondNs};
  const auto kept = [](const ShortHash& key, const KeptKey& as) {
    return KeyKept{key, as.content, as.first, as.expires_ns};
  };
  const ShortHash freed = some_key(), again = some_key(), later = some_key();
  BlockPool pool;
  CommitBuilder builder(pool, 1, kSecondNs);
  for (int i = 0; i < 200; ++i) builder.add(kept(some_key(), early));
  for (const ShortHash& key : {freed, again, later}) builder.add(kept(key, early));
  for (const ShortHash& key : {freed, again}) builder.add(KeyFreed{key});
  for (const ShortHash& key : {again, later}) builder.add(kept(key, late));
  const Commit commit = builder.close({});
  ASSERT_TRUE(store->append(1, *commit.entry, *commit.block_bytes));
  RowFold fold(*store, {}, 0);
  ASSERT_TRUE(fold.fold(1, *commit.entry, *commit.block_bytes));
  const CheckpointBatch batch = fold.take();
  EXPECT_TRUE(std::ranges::is_sorted(batch.keys, {}, &NotedKeys::value_type::first));
  ASSERT_TRUE(store->checkpoint(batch));
  EXPECT_EQ(store->find_key(freed).value(), std::nullopt);
  EXPECT_EQ(store->find_key(again).value(), late);
  EXPECT_EQ(store->find_key(later).value(), late);
}

TEST(RowFold, RefusesACommitOutOfTurn) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  Workload work(*store, 3);
  RowFold fold(*store, {}, 0);
  const Commit first = commit_to(*store, work);
  const Commit second = commit_to(*store, work);
  EXPECT_FALSE(fold.fold(2, *second.entry, *second.block_bytes));
  EXPECT_FALSE(fold.fold(1, *second.entry, *second.block_bytes));
  EXPECT_TRUE(fold.fold(1, *first.entry, *first.block_bytes));
}

// Recovery refuses it as well: numbers of lives rise.
TEST(RowFold, RefusesABirthWhoseNumberDoesNotRise) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  Workload work(*store, 3);
  RowFold fold(*store, {}, 0);
  uint64_t births = 0;
  while (births == 0) {
    const Commit commit = commit_to(*store, work);
    ASSERT_TRUE(fold.fold(commit.number, *commit.entry, *commit.block_bytes));
    births = work.state().jobs.size();
    if (births == 0) continue;
    Bytes again = *commit.entry;
    EntryHead head;
    std::memcpy(&head, again.data(), sizeof head);
    ++head.number;
    std::memcpy(again.data(), &head, sizeof head);
    const auto refused = fold.fold(head.number, again, *commit.block_bytes);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("is born behind one with a higher number"), std::string::npos)
        << refused.error().text;
  }
}

}  // namespace
}  // namespace pqd
