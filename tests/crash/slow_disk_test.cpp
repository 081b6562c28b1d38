// A disk that takes its time: nobody is told too early, and nothing else is different.
#include <semaphore>

#include "daemon/engine/commit_line.h"
#include "tests/crash/recorded_life.h"
#include "tests/daemon/store/fixtures.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

TEST(SlowDisk, WhoseSyncDoesNotReturnLetsNobodyThinkThatAnythingSurvives) {
  const TempDir directory;
  const auto fs = std::make_shared<FaultFs>(directory.path(), nullptr);
  const auto env = rocksdb::NewCompositeEnv(fs);
  auto store = Store::open({.directory = directory.path(), .env = env.get()}).value();
  auto witness = Witness::open(directory.path()).value();
  {
    Checkpointer checkpointer(
        *store, witness, RowFold(*store, Tables(), 0), {.interval_ms = 3'600'000},
        {.covered = [](uint64_t) {}, .failed = [](const StoreError& error) { FAIL() << error.text; }});
    std::counting_semaphore<> news{0};
    Committer committer(*store, checkpointer, 0, [&news] { news.release(); });
    BlockPool blocks;
    CommitBuilder builder(blocks, 1, {}, kSecondNs);
    builder.add(TimePassed{kSecondNs});
    builder.require_sync();
    const Commit commit = builder.close();
    fs->hold_syncs(true);
    committer.hand(commit, true);
    ASSERT_TRUE(eventually([&] { return fs->held() > 0; }));
    EXPECT_EQ(committer.progress(), (Progress{1, 0, 0}));
    // Nor does another thread write beside it.
    CommitBuilder next(blocks, 2, commit.hash, kSecondNs);
    next.add(TimePassed{kSecondNs});
    EXPECT_FALSE(committer.commit_here(next.close(), false, [] { ADD_FAILURE(); }));
    fs->hold_syncs(false);
    while (committer.progress().done < 1) ASSERT_TRUE(news.try_acquire_for(kWatchdog));
    EXPECT_EQ(committer.progress(), (Progress{1, 1, 1}));
  }
  store.reset();
}

// Or what is urgent would fill memory as fast as it comes.
TEST(SlowDisk, HasFewCommitsUnderWayHoweverUrgentTheyAre) {
  const TempDir directory;
  const auto fs = std::make_shared<FaultFs>(directory.path(), nullptr);
  const auto env = rocksdb::NewCompositeEnv(fs);
  auto store = Store::open({.directory = directory.path(), .env = env.get()}).value();
  auto witness = Witness::open(directory.path()).value();
  {
    Checkpointer checkpointer(
        *store, witness, RowFold(*store, Tables(), 0), {.interval_ms = 3'600'000},
        {.covered = [](uint64_t) {}, .failed = [](const StoreError& error) { FAIL() << error.text; }});
    std::counting_semaphore<> news{0};
    Committer committer(*store, checkpointer, 0, [&news] { news.release(); });
    State state;
    SessionPorts ports;
    CommitLine line(state, ports, committer, 0, {});
    const auto commit_urgently = [&] {
      CommitBuilder& commit = line.open();
      commit.add_blob(Bytes(10'000));  // more than the worker makes durable itself
      commit.add(TimePassed{kSecondNs});
      commit.require_sync();
      line.hurry();
      line.hand(false, [] {});
    };
    fs->hold_syncs(true);
    for (int i = 0; i < 10; ++i) commit_urgently();
    EXPECT_EQ(line.latest(), 3u) << "two under way, and the one that the others went into";
    fs->hold_syncs(false);
    const auto wait_for = [&](uint64_t done) {
      while (line.look(), line.progress().done < done) ASSERT_TRUE(news.try_acquire_for(kWatchdog));
    };
    wait_for(1);
    line.hand(false, [] {});
    wait_for(3);
  }
  store.reset();
}

TEST(SlowDisk, ThatDelaysEveryCallLosesNothing) {
  const auto life = record_life({.seed = 9, .commits = 60, .fault = {.delay_us = 500}});
  EXPECT_FALSE(life->end) << life->end->text;
  EXPECT_GT(life->calls, 200u);
  EXPECT_EQ(fault_of_image(life->directory, *life, SIZE_MAX), "");
}

}  // namespace
}  // namespace pqd::test
