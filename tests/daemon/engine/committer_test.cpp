// How far the committer says it is, over a real store.
#include "daemon/engine/committer.h"

#include <atomic>
#include <semaphore>
#include <thread>

#include "tests/daemon/engine/fixtures.h"

namespace pqd::test {
namespace {

class CommitterTest : public ::testing::Test {
 protected:
  CommitterTest()
      : store(Store::open({.directory = directory.path()}).value()),
        witness(Witness::open(directory.path()).value()),
        // At the end only: TSan does not see into RocksDB, and calls two writers of its a race.
        checkpointer(*store, witness, RowFold(*store, Tables(), 0), {.interval_ms = 3'600'000},
                     {.covered = [](uint64_t) {}, .failed = [](const StoreError& e) { FAIL() << e.text; }}) {}

  Commit commit(uint64_t number, bool needs_sync) {
    CommitBuilder builder(blocks, number, kSecondNs);
    builder.add(TimePassed{kSecondNs});
    if (needs_sync) builder.require_sync();
    return builder.close();
  }
  // Until the committer has told that it is as far as that.
  void wait_for(Committer& committer, uint64_t done) {
    while (committer.progress().done < done) ASSERT_TRUE(news.try_acquire_for(std::chrono::seconds(60)));
  }

  TempDir directory;
  std::unique_ptr<Store> store;
  Witness witness;
  Checkpointer checkpointer;
  BlockPool blocks;
  std::counting_semaphore<> news{0};
};

TEST_F(CommitterTest, IsDoneWhenWrittenIfNothingAskedForASync) {
  Committer committer(*store, checkpointer, 0, {}, [this] { news.release(); });
  committer.hand(commit(1, false));
  wait_for(committer, 1);
  EXPECT_EQ(committer.progress(), (Progress{1, 1, 0}));
}

TEST_F(CommitterTest, IsDoneWhenSyncedIfSomethingAskedForIt) {
  Committer committer(*store, checkpointer, 0, {}, [this] { news.release(); });
  committer.hand(commit(1, false));
  committer.hand(commit(2, true));
  wait_for(committer, 2);
  EXPECT_EQ(committer.progress(), (Progress{2, 2, 2}));
}

TEST_F(CommitterTest, NeverClaimsMoreThanWhatMustComeBefore) {
  Committer committer(*store, checkpointer, 0, {}, [this] { news.release(); });
  for (uint64_t number = 1; number <= 200; ++number) {
    committer.hand(commit(number, number % 3 == 0));
    const Progress progress = committer.progress();
    EXPECT_LE(progress.synced, progress.done);
    EXPECT_LE(progress.done, progress.written);
    EXPECT_LE(progress.written, number);
  }
  wait_for(committer, 198);
}

// Or whoever waits for the sync is told that the commit is done, and never again of it.
TEST_F(CommitterTest, NeverCallsDoneWhatAskedForASyncBeforeItIsCalledSynced) {
  Committer committer(*store, checkpointer, 0, {}, [] {});
  constexpr uint64_t kCommits = 400;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> torn{0};
  std::thread looker([&] {
    while (!stop) {
      const Progress progress = committer.progress();
      if (progress.synced != progress.done) ++torn;
    }
  });
  for (uint64_t number = 1; number <= kCommits; ++number) {
    committer.hand(commit(number, true));
    while (committer.progress().done < number) std::this_thread::yield();
  }
  stop = true;
  looker.join();
  EXPECT_EQ(torn, 0u);
}

TEST_F(CommitterTest, CommitsHereWithoutItsThreadAndTellsWhenWrittenAndWhenSynced) {
  Committer committer(*store, checkpointer, 0, {}, [] { FAIL() << "its own thread has nothing to tell"; });
  std::vector<Progress> told;
  const auto here = [&](Commit next, bool early) {
    return committer.commit_here(next, early, [&] { told.push_back(committer.progress()); });
  };
  ASSERT_TRUE(here(commit(1, true), true));
  ASSERT_TRUE(here(commit(2, false), true));
  ASSERT_TRUE(here(commit(3, true), false));
  EXPECT_EQ(told, (std::vector<Progress>{{1, 0, 0}, {1, 1, 1}, {2, 2, 1}, {3, 3, 3}}));
}

// Or the witness could be told of an earlier commit after a later one.
TEST_F(CommitterTest, CommitsNothingHereBeforeItsThreadHasToldEverybodyOfASync) {
  std::binary_semaphore told{0}, go_on{0};
  Committer* made = nullptr;
  std::atomic<bool> first{true};
  Committer committer(*store, checkpointer, 0, {}, [&] {
    if (made->progress().synced < 1 || !first.exchange(false)) return;
    told.release();
    EXPECT_TRUE(go_on.try_acquire_for(std::chrono::seconds(60)));
  });
  made = &committer;
  committer.hand(commit(1, true));
  ASSERT_TRUE(told.try_acquire_for(std::chrono::seconds(60)));
  Commit next = commit(2, true);
  EXPECT_FALSE(committer.commit_here(next, false, [] {}));
  go_on.release();
  while (!committer.commit_here(next, false, [] {})) std::this_thread::yield();
  EXPECT_EQ(committer.progress(), (Progress{2, 2, 2}));
}

TEST_F(CommitterTest, CommitsHereAndByItsThreadInTheOrderOfNumbers) {
  {
    Committer committer(*store, checkpointer, 0, {}, [] {});
    uint64_t here = 0;
    for (uint64_t number = 1; number <= 300; ++number) {
      Commit next = commit(number, number % 4 == 0);
      const bool wanted_here = number % 3 != 0;
      if (wanted_here && committer.commit_here(next, false, [] {}))
        ++here;
      else
        committer.hand(std::move(next));
    }
    EXPECT_GT(here, 0u);
  }
  // The checkpointer takes commits in order, or folds a wrong history.
  EXPECT_EQ(store->last_commit(), 300u);
  EXPECT_EQ(checkpointer.backlog(), 300u);
}

// From the commit that the store had before, too.
TEST_F(CommitterTest, ChainsWhatEitherThreadWrites) {
  ChainHash earlier{};
  earlier.fill(5);
  {
    Committer committer(*store, checkpointer, 0, earlier, [] {});
    for (uint64_t number = 1; number <= 60; ++number) {
      Commit next = commit(number, number % 4 == 0);
      if (number % 3 != 0) make_due_hashes(next);
      if (number % 2 == 0 || !committer.commit_here(next, false, [] {})) committer.hand(std::move(next));
    }
  }
  ChainHash previous = earlier;
  for (uint64_t number = 1; number <= 60; ++number) {
    const auto entry = store->find_entry(number);
    ASSERT_TRUE(entry && *entry);
    const auto view = read_entry(**entry);
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->head.previous, previous) << "commit " << number;
    previous = entry_hash(**entry);
  }
}

TEST_F(CommitterTest, FinishesWhatItWasHandedBeforeItEnds) {
  {
    Committer committer(*store, checkpointer, 0, {}, [this] { news.release(); });
    for (uint64_t number = 1; number <= 50; ++number) committer.hand(commit(number, true));
  }
  EXPECT_EQ(store->last_commit(), 50u);
}

}  // namespace
}  // namespace pqd::test
