// The whole chain, killed: a broker's commits written, synced, folded and witnessed by a child that gets
// SIGKILL at any moment. A workload is a function of its seed, so that what must come back can be computed
// again.
#include <random>

#include "daemon/store/checkpointer.h"
#include "daemon/store/recovery.h"
#include "tests/daemon/store/expectations.h"

namespace pqd {
namespace {

using test::open_store;
using test::TempDir;
using test::Workload;

void work_until_killed(const std::string& directory, uint64_t seed, int fd) {
  const auto store = open_store(directory);
  auto witness = Witness::open(directory).value();
  Workload work(*store, seed);
  std::atomic<uint64_t> covered{0};
  Checkpointer checkpointer(
      *store, witness, RowFold(*store, {}, 0), {.interval_ms = 3, .bytes = 50'000},
      {[&covered](uint64_t number) { covered = number; }, [](const StoreError&) { ::_exit(4); }});
  for (;;) {
    work.retire(covered);
    const Commit commit = test::commit_to(*store, work);
    if (commit.number % 3 == 0) {
      if (!store->sync(commit.number)) ::_exit(5);
      checkpointer.synced({commit.number, commit.hash});
    }
    checkpointer.add(commit.number, commit.entry, commit.block_bytes);
    test::tell(fd, commit.number);
  }
}

TEST(Crash, IsRecoveredToTheStateOfTheLastCommitWritten) {
  uint64_t from_checkpoints = 0;
  for (uint64_t seed = 30; seed < 42; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const TempDir dir;
    uint64_t told = 0;
    {
      test::Child child([&](int fd) { work_until_killed(dir.path(), seed, fd); });
      for (uint64_t i = std::mt19937_64(seed)() % 300 + 1; i > 0; --i) {
        const auto number = child.hear();
        ASSERT_TRUE(number);
        told = *number;
      }
      child.kill();
      while (const auto number = child.hear()) told = *number;
    }
    const auto store = open_store(dir.path());
    ASSERT_TRUE(store);
    ASSERT_GE(store->last_commit(), told);

    const TempDir elsewhere;
    const auto empty = open_store(elsewhere.path());
    Workload again(*empty, seed);
    while (again.last_number() < store->last_commit()) again.commit();
    test::expect_recovered(*store, dir.path(), again);

    State state;
    const auto recovered = recover(*store, Witness::open(dir.path()).value(), state,
                                   [](uint64_t, ByteView, ByteView) { return true; });
    ASSERT_TRUE(recovered) << recovered.error().text;
    from_checkpoints += recovered->covered > 0 ? 1u : 0u;
    RowFold fold(*store, recovered->checkpoint_tables, recovered->covered);
    ASSERT_TRUE(store->for_each_commit(recovered->covered + 1,
                                       [&fold](uint64_t number, ByteView entry, ByteView block) {
                                         return fold.fold(number, entry, block).has_value();
                                       }));
    ASSERT_TRUE(store->checkpoint(fold.take()));
    test::expect_rows(*store, again);
    test::expect_figures(*store);
  }
  EXPECT_GT(from_checkpoints, 0u);
}

}  // namespace
}  // namespace pqd
