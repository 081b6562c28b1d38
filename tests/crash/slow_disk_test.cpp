// A disk that takes its time: nobody is told too early, and nothing else is different.
#include <semaphore>

#include "daemon/engine/commit_line.h"
#include "tests/crash/recorded_life.h"
#include "tests/daemon/store/fixtures.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class SlowDisk : public ::testing::Test {
 protected:
  TempDir directory_;
  std::shared_ptr<FaultFs> fs_ = std::make_shared<FaultFs>(directory_.path(), nullptr);
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(fs_);
  std::unique_ptr<Store> store_ = Store::open({.directory = directory_.path(), .env = env_.get()}).value();
  Witness witness_ = Witness::open(directory_.path()).value();
  Checkpointer checkpointer_{
      *store_,
      witness_,
      RowFold(*store_, Tables(), 0),
      {.interval_ms = 3'600'000},
      {.covered = [](uint64_t) {}, .failed = [](const StoreError& error) { FAIL() << error.text; }}};
  std::counting_semaphore<> news_{0};
  Committer committer_{*store_, checkpointer_, 0, {}, [this] { news_.release(); }};
};

TEST_F(SlowDisk, WhoseSyncDoesNotReturnLetsNobodyThinkThatAnythingSurvives) {
  BlockPool blocks;
  CommitBuilder builder(blocks, 1, kSecondNs);
  builder.add(TimePassed{kSecondNs});
  builder.require_sync();
  fs_->hold_syncs(true);
  committer_.hand(builder.close(), true);
  ASSERT_TRUE(eventually([&] { return fs_->held() > 0; }));
  EXPECT_EQ(committer_.progress(), (Progress{1, 0, 0}));
  // Nor does another thread write beside it.
  CommitBuilder later(blocks, 2, kSecondNs);
  later.add(TimePassed{kSecondNs});
  Commit next = later.close();
  EXPECT_FALSE(committer_.commit_here(next, false, [] { ADD_FAILURE(); }));
  fs_->hold_syncs(false);
  while (committer_.progress().done < 1) ASSERT_TRUE(news_.try_acquire_for(kWatchdog));
  EXPECT_EQ(committer_.progress(), (Progress{1, 1, 1}));
}

// Or what is urgent would fill memory as fast as it comes.
TEST_F(SlowDisk, HasFewCommitsUnderWayHoweverUrgentTheyAre) {
  State state;
  SessionPorts ports;
  CommitLine line(state, ports, committer_, 0);
  const auto commit_urgently = [&] {
    CommitBuilder& commit = line.open();
    commit.add_blob(Bytes(10'000));  // more than the worker makes durable itself
    commit.add(TimePassed{kSecondNs});
    commit.require_sync();
    line.hurry();
    line.hand(false, [] {});
  };
  fs_->hold_syncs(true);
  for (int i = 0; i < 20; ++i) commit_urgently();
  EXPECT_EQ(line.latest(), 9u) << "eight under way, and the one that the others went into";
  fs_->hold_syncs(false);
  const auto wait_for = [&](uint64_t done) {
    while (line.look(), line.progress().done < done) ASSERT_TRUE(news_.try_acquire_for(kWatchdog));
  };
  wait_for(1);
  line.hand(false, [] {});
  wait_for(9);
}

TEST(SlowDiskLife, ThatDelaysEveryCallLosesNothing) {
  const auto life = record_life({.seed = 9, .commits = 60, .fault = {.delay_us = 500}});
  EXPECT_FALSE(life->end) << life->end->text;
  EXPECT_GT(life->calls, 200u);
  EXPECT_EQ(fault_of_image(life->directory, *life, SIZE_MAX), "");
}

}  // namespace
}  // namespace pqd::test
