#include "daemon/store/checkpointer.h"

#include "tests/daemon/store/expectations.h"

namespace pqd {
namespace {

using test::commit_to;
using test::expect_rows;
using test::open_store;
using test::TempDir;
using test::Workload;

// A checkpointer over a store of its own, and what it told.
class CheckpointerTest : public testing::Test {
 protected:
  void start(CheckpointerOptions options) { start(options, RowFold(*store_, {}, 0)); }
  void start(CheckpointerOptions options, RowFold fold) {
    checkpointer_ =
        std::make_unique<Checkpointer>(*store_, witness_, std::move(fold), options,
                                       Checkpointer::Callbacks{[this](uint64_t covered) {
                                                                 covered_ = covered;
                                                                 if (on_covered_) on_covered_();
                                                               },
                                                               [this](const StoreError&) { ++failures_; }});
  }
  void commit_and_add() {
    const Commit commit = commit_to(*store_, work_);
    checkpointer_->add(commit.number, commit.entry, commit.block_bytes);
    checkpointer_->synced({commit.number, commit.hash});
  }
  uint64_t stored_covered() const {
    const auto checkpoint = store_->load_checkpoint().value();
    return checkpoint ? checkpoint->covered : 0;
  }

  const TempDir dir_;
  std::unique_ptr<Store> store_ = open_store(dir_.path());
  Witness witness_ = Witness::open(dir_.path()).value();
  Workload work_{*store_, 9};
  std::atomic<uint64_t> covered_{0};
  std::atomic<int> failures_{0};
  std::function<void()> on_covered_;  // on the checkpointer's thread
  std::unique_ptr<Checkpointer> checkpointer_;
};

constexpr int64_t kNeverMs = 3'600'000;

TEST_F(CheckpointerTest, CoversWhatComesInAfterAnyNumberOfIdleIntervals) {
  start({.interval_ms = 1});
  for (uint64_t n = 1; n <= 20; ++n) {
    commit_and_add();
    ASSERT_TRUE(test::comes_true([&] { return covered_ == n; })) << n;
  }
  EXPECT_EQ(stored_covered(), 20u);
  EXPECT_EQ(checkpointer_->backlog(), 0u);
  checkpointer_.reset();
  expect_rows(*store_, work_);
  EXPECT_EQ(Witness::open(dir_.path()).value().testimony()->commit, 20u);
}

TEST_F(CheckpointerTest, CoversOnRequestBeforeTheIntervalIsOver) {
  start({.interval_ms = kNeverMs});
  for (int i = 0; i < 10; ++i) commit_and_add();
  EXPECT_EQ(checkpointer_->backlog(), 10u);
  checkpointer_->request();
  EXPECT_TRUE(test::comes_true([&] { return covered_ == 10; }));
  EXPECT_EQ(stored_covered(), 10u);
}

TEST_F(CheckpointerTest, CoversBeforeTheIntervalIsOverWhenEnoughCameIn) {
  start({.interval_ms = kNeverMs, .bytes = 20'000, .fold_bytes = 1'000});
  EXPECT_TRUE(test::comes_true([&] {
    commit_and_add();
    return covered_ > 0;
  }));
}

TEST_F(CheckpointerTest, CoversEarlierWhileMemoryWantsItAndOnlyThen) {
  std::atomic<bool> wanted{false};
  start({.interval_ms = kNeverMs, .fold_bytes = 1'000, .wanted = &wanted, .wanted_bytes = 20'000});
  for (int i = 0; i < 100; ++i) commit_and_add();
  EXPECT_EQ(covered_, 0u);
  wanted = true;
  EXPECT_TRUE(test::comes_true([&] {
    commit_and_add();
    return covered_ > 0;
  }));
  checkpointer_.reset();
}

TEST_F(CheckpointerTest, CoversARecoverysTailAtOnce) {
  RowFold fold(*store_, {}, 0);
  for (int i = 0; i < 10; ++i) {
    const Commit commit = commit_to(*store_, work_);
    ASSERT_TRUE(fold.fold(commit.number, *commit.entry, *commit.block_bytes));
  }
  start({.interval_ms = kNeverMs}, std::move(fold));
  EXPECT_TRUE(test::comes_true([&] { return covered_ == 10; }));
  EXPECT_EQ(stored_covered(), 10u);
}

TEST_F(CheckpointerTest, HoldsUpWhoeverAddsFasterThanItFolds) {
  start({.interval_ms = kNeverMs, .bytes = 1, .handed_bytes_max = 1});
  for (int i = 0; i < 200; ++i) {
    commit_and_add();
    EXPECT_LE(checkpointer_->backlog(), 2u);
  }
  checkpointer_.reset();
  EXPECT_EQ(covered_, 200u);
}

// Or nothing would witness for a flood as long as it lasts.
TEST_F(CheckpointerTest, WritesTheWitnessEveryIntervalThoughThereIsAlwaysMoreToFold) {
  std::atomic<bool> witnessed{false};
  std::atomic<int> commits{0};
  on_covered_ = [&] {
    if (witnessed || commits == 100) return;
    witnessed = Witness::read(dir_.path()).value().has_value();
    if (witnessed) return;
    commit_and_add();
    ++commits;
  };
  start({.interval_ms = 1, .bytes = 1, .fold_bytes = 1});
  commit_and_add();
  EXPECT_TRUE(test::comes_true([&] { return witnessed || commits == 100; }));
  EXPECT_TRUE(witnessed);
  checkpointer_.reset();
}

TEST_F(CheckpointerTest, WritesALastCheckpointWhenItEnds) {
  start({.interval_ms = kNeverMs});
  for (int i = 0; i < 10; ++i) commit_and_add();
  checkpointer_.reset();
  EXPECT_EQ(covered_, 10u);
  EXPECT_EQ(stored_covered(), 10u);
  expect_rows(*store_, work_);
}

TEST_F(CheckpointerTest, TellsAFailureOnceAndHoldsNobodyUpAfterIt) {
  start({.interval_ms = 1, .bytes = 1, .handed_bytes_max = 1});
  commit_and_add();
  commit_to(*store_, work_);  // a gap
  for (int i = 0; i < 20; ++i) commit_and_add();
  EXPECT_TRUE(test::comes_true([&] { return failures_ == 1; }));
  for (int i = 0; i < 20; ++i) commit_and_add();
  checkpointer_->request();
  checkpointer_.reset();
  EXPECT_EQ(failures_, 1);
  EXPECT_LE(stored_covered(), 1u);
}

}  // namespace
}  // namespace pqd
