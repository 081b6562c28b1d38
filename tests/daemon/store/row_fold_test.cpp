#include "daemon/store/row_fold.h"

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

}  // namespace
}  // namespace pqd
