// A disk that takes its time: nobody is told too early, and nothing else is different.
#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

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

  Commit commit(uint64_t number, bool needs_sync) {
    CommitBuilder builder(blocks_, number, kSecondNs);
    builder.add(TimePassed{kSecondNs});
    if (needs_sync) builder.require_sync();
    return builder.close();
  }
  void wait_until(const std::function<bool(const Progress&)>& reached) {
    while (!reached(committer_.progress())) ASSERT_TRUE(news_.try_acquire_for(kWatchdog));
  }

  BlockPool blocks_;
};

TEST_F(SlowDisk, WhoseSyncDoesNotReturnLetsNobodyThinkThatAnythingSurvives) {
  fs_->hold_syncs(true);
  committer_.hand(commit(1, true));
  ASSERT_TRUE(eventually([&] { return fs_->held() > 0; }));
  EXPECT_EQ(committer_.progress(), (Progress{1, 0, 0}));
  // Nor does another thread write beside it.
  Commit next = commit(2, false);
  EXPECT_FALSE(committer_.commit_here(next, false, [] { ADD_FAILURE(); }));
  fs_->hold_syncs(false);
  while (committer_.progress().done < 1) ASSERT_TRUE(news_.try_acquire_for(kWatchdog));
  EXPECT_EQ(committer_.progress(), (Progress{1, 1, 1}));
}

class LineOnASlowDisk : public SlowDisk {
 protected:
  void add(size_t bytes) {
    CommitBuilder& commit = line.open();
    commit.add_blob(Bytes(bytes));
    commit.add(TimePassed{kSecondNs});
    commit.require_sync();
  }
  void commit_urgently() {
    add(10'000);  // more than the worker makes durable itself
    line.hurry();
    line.hand(false, [] {});
  }
  void look_until(const std::function<bool()>& reached) {
    while (line.look(), !reached()) ASSERT_TRUE(news_.try_acquire_for(kWatchdog));
  }

  State state;
  SessionPorts ports;
  CommitLine line{state, ports, committer_, 0};
};

// A delivery waits for no sync of others.
TEST_F(SlowDisk, WritesOnWhileItSyncsAndCallsNothingDoneThatStandsOnThatSync) {
  fs_->hold_syncs(true);
  committer_.hand(commit(1, true));
  ASSERT_TRUE(eventually([&] { return fs_->held() > 0; }));
  committer_.hand(commit(2, false));
  committer_.hand(commit(3, true));
  committer_.hand(commit(4, false));
  wait_until([](const Progress& progress) { return progress.written == 4; });
  EXPECT_EQ(committer_.progress(), (Progress{4, 0, 0}));
  fs_->hold_syncs(false);
  wait_until([](const Progress& progress) { return progress.done == 4; });
  EXPECT_GE(committer_.progress().synced, 3u);
}

TEST_F(LineOnASlowDisk, GetsTheNextCommitWhenWorkIsOverIfItIsLargeOrSomebodyWaitsForADelivery) {
  const auto wait_for_written = [&](uint64_t number) {
    wait_until([number](const Progress& progress) { return progress.written == number; });
    line.look();
  };
  fs_->hold_syncs(true);
  add(10'000);  // more than the worker makes durable itself
  ASSERT_TRUE(line.hand(false, [] {}));
  wait_for_written(1);
  ASSERT_TRUE(eventually([&] { return fs_->held() > 0; }));
  add(10'000);
  EXPECT_FALSE(line.hand(false, [] {}));
  EXPECT_FALSE(line.hand_rest([] {})) << "small, and nobody waits for it alone";
  add(64u << 10);
  EXPECT_FALSE(line.hand(false, [] {})) << "more may come";
  EXPECT_TRUE(line.hand_rest([] {}));
  wait_for_written(2);
  add(10'000);
  DeliveryEffect delivery;
  delivery.after_sync = true;
  delivery.record = line.open().ref(line.open().add_blob(Bytes(8)));
  const auto deliver = [&] {
    state.blocks.add_user(delivery.record.block);
    line.open().effects().deliveries.push_back(delivery);
  };
  deliver();
  EXPECT_FALSE(line.hand_rest([] {})) << "it waits for the sync";
  delivery.after_sync = false;
  deliver();
  EXPECT_TRUE(line.hand_rest([] {}));
  wait_for_written(3);
  fs_->hold_syncs(false);
  wait_until([](const Progress& progress) { return progress.synced == 3; });
}

// Whatever the worker has before it sleeps.
TEST_F(LineOnASlowDisk, HasFewCommitsUnderWayHoweverOftenTheWorkerWouldSleep) {
  fs_->hold_syncs(true);
  for (int i = 0; i < 80 && line.has_room(); ++i) {
    add(64u << 10);
    line.hand_rest([] {});
    if (line.latest() < 33)
      wait_until([&](const Progress& progress) { return progress.written == line.latest(); });
    line.look();
  }
  EXPECT_FALSE(line.has_room());
  EXPECT_EQ(line.latest(), 33u) << "32 under way, and the one that the others went into";
  fs_->hold_syncs(false);
  wait_until([](const Progress& progress) { return progress.synced == 32; });
}

// So that a turn that takes whatever comes ends for what was urgent in one before.
TEST_F(LineOnASlowDisk, TellsOfAnUrgentCommitThatIsWrittenUntilTheWorkerLooks) {
  fs_->hold_syncs(true);
  add(10'000);
  ASSERT_TRUE(line.hand(false, [] {}));
  wait_until([](const Progress& progress) { return progress.written == 1; });
  EXPECT_FALSE(line.urgent_news()) << "it was in no hurry";
  fs_->hold_appends(true);
  commit_urgently();
  EXPECT_FALSE(line.urgent_news()) << "it is not written";
  fs_->hold_appends(false);
  wait_until([](const Progress& progress) { return progress.written == 2; });
  EXPECT_TRUE(line.urgent_news());
  line.look();
  EXPECT_FALSE(line.urgent_news());
  fs_->hold_syncs(false);
  look_until([&] { return line.progress().done == 2; });
  EXPECT_FALSE(line.urgent_news());
}

// Or what is urgent would fill memory as fast as it comes.
TEST_F(LineOnASlowDisk, HasFewCommitsUnderWayHoweverUrgentTheyAre) {
  fs_->hold_syncs(true);
  for (int i = 0; i < 80; ++i) {
    commit_urgently();
    if (line.latest() < 33) look_until([&] { return line.progress().written == line.latest(); });
  }
  EXPECT_EQ(line.latest(), 33u) << "32 under way, and the one that the others went into";
  fs_->hold_syncs(false);
  look_until([&] { return line.progress().done >= 1; });
  line.hand(false, [] {});
  look_until([&] { return line.progress().done == 33; });
}

// The disk takes the bytes of one, and the next ones wait in memory.
TEST_F(LineOnASlowDisk, HasFewerCommitsThatAreNotEvenWritten) {
  fs_->hold_appends(true);
  for (int i = 0; i < 20; ++i) commit_urgently();
  EXPECT_EQ(line.latest(), 9u) << "eight unwritten, and the one that the others went into";
  fs_->hold_appends(false);
  look_until([&] { return line.progress().done >= 1; });
  line.hand(false, [] {});
  look_until([&] { return line.progress().done == 9; });
}

// One that is under way may have begun before what they wrote.
TEST(SlowDiskOfPartitions, SyncsOnceMoreForAllWhoCameMeanwhile) {
  const TempDir directory;
  const auto fs = std::make_shared<FaultFs>(directory.path(), nullptr);
  const auto env = rocksdb::NewCompositeEnv(fs);
  const auto database =
      Database::open({.directory = directory.path(), .env = env.get(), .partitions = 4}).value();
  std::vector<std::unique_ptr<Store>> stores;
  for (PartitionNo partition = 0; partition < 4; ++partition) {
    stores.push_back(Store::open(database, partition).value());
    ASSERT_TRUE(append_numbered(*stores.back(), 1));
  }
  ASSERT_TRUE(stores[0]->sync(1));  // the first of a log syncs the directory as well
  fs->hold_syncs(true);
  std::atomic<int> ended{0};
  std::vector<std::jthread> threads;
  const std::shared_ptr<void> released_in_the_end(nullptr, [&](void*) { fs->hold_syncs(false); });
  const auto sync = [&](Store& store) {
    threads.emplace_back([&] {
      EXPECT_TRUE(store.sync(1));
      ++ended;
    });
  };
  sync(*stores[0]);
  ASSERT_TRUE(eventually([&] { return fs->held() == 1; }));
  for (size_t i = 1; i < stores.size(); ++i) sync(*stores[i]);
  ASSERT_TRUE(eventually([&] { return database->syncs_waiting() == 3; }));
  EXPECT_EQ(ended, 0);
  const uint64_t before = fs->calls();
  fs->hold_syncs(false);
  ASSERT_TRUE(eventually([&] { return ended == 4; }));
  EXPECT_EQ(fs->calls() - before, 2u) << "the one that was held, and one for the three";
}

TEST(SlowDiskLife, ThatDelaysEveryCallLosesNothing) {
  const auto life = record_life({.seed = 9, .commits = 60, .fault = {.delay_us = 500}});
  EXPECT_FALSE(life->end) << life->end->text;
  EXPECT_GT(life->calls, 200u);
  EXPECT_EQ(fault_of_image(life->directory, *life, SIZE_MAX), "");
}

}  // namespace
}  // namespace pqd::test
