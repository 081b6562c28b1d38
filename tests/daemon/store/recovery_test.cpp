// Rows, recovery and the checkpointer against the journal of a real broker: what comes back is what was
// there.
#include "daemon/store/recovery.h"

#include "daemon/store/checkpointer.h"
#include "tests/daemon/store/fixtures.h"
#include "tests/daemon/store/workload.h"

namespace pqd {
namespace {

using test::open_store;
using test::picture_of;
using test::TempDir;
using test::Workload;

Commit commit_to(Store& store, Workload& work) {
  Commit commit = work.commit();
  if (auto done = store.append(commit.number, *commit.entry, *commit.block_bytes); !done)
    ADD_FAILURE() << done.error().text;
  return commit;
}

void expect_same(const Bytes& found, const Bytes& wanted) {
  EXPECT_TRUE(found == wanted) << "found  " << test::describe(found) << "\nwanted " << test::describe(wanted);
}

void expect_recovered(const Store& store, const std::string& directory, const Workload& work) {
  State state;
  const auto witness = Witness::open(directory);
  ASSERT_TRUE(witness) << witness.error().text;
  uint64_t replayed = 0;
  const auto recovered = recover(store, *witness, state, [&](uint64_t, ByteView, ByteView) {
    ++replayed;
    return true;
  });
  ASSERT_TRUE(recovered) << recovered.error().text;
  EXPECT_EQ(recovered->last_commit, work.last_number());
  EXPECT_EQ(recovered->last_hash, work.last_hash());
  EXPECT_EQ(recovered->commits_replayed, replayed);
  EXPECT_EQ(recovered->covered + replayed, recovered->last_commit);
  const auto before = picture_of(work.state());
  const auto after = picture_of(state);
  EXPECT_TRUE(after.tables == before.tables);
  ASSERT_EQ(after.live.size(), before.live.size());
  for (const auto& [job, row] : before.live) expect_same(after.live.at(job), row);
}

// Every finished job up to the checkpoint has the row it must have, and the dead letters are all there.
void expect_rows(const Store& store, const Workload& work) {
  for (const auto& [id, row] : work.finished()) {
    const auto found = store.find_done(id).value();
    ASSERT_TRUE(found) << id.to_string();
    expect_same(*found, row);
  }
  uint64_t rows = 0;
  ASSERT_TRUE(store.for_each_done(std::nullopt, [&rows](const JobId&, ByteView) { return ++rows > 0; }));
  EXPECT_EQ(rows, work.finished().size());
  std::map<JobNo, JobId> letters;
  ASSERT_TRUE(store.for_each_dead_letter([&letters](JobNo job, const JobId& id) {
    letters[job] = id;
    return true;
  }));
  EXPECT_EQ(letters, work.dead_letters());
  std::map<JobNo, Bytes> live;
  ASSERT_TRUE(store.for_each_live([&live](JobNo job, ByteView row) {
    live[job].assign(row.begin(), row.end());
    return true;
  }));
  EXPECT_TRUE(live == picture_of(work.state()).live);
}

TEST(Recovery, OfAnEmptyStoreIsAnEmptyState) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  const Workload idle(*store, 1);
  expect_recovered(*store, dir.path(), idle);
}

TEST(Recovery, FromTheJournalAloneGivesTheSameState) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  Workload work(*store, 2);
  for (int i = 0; i < 300; ++i) commit_to(*store, work);
  expect_recovered(*store, dir.path(), work);
}

TEST(Recovery, FromAnyCheckpointAndTheTailGivesTheSameState) {
  for (uint64_t seed = 10; seed < 16; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const TempDir dir;
    auto store = open_store(dir.path());
    Workload work(*store, seed);
    RowFold fold(*store, {}, 0);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 400; ++i) {
      const Commit commit = commit_to(*store, work);
      const auto folded = fold.fold(commit.number, *commit.entry, *commit.block_bytes);
      ASSERT_TRUE(folded) << folded.error().text;
      if (random() % 25 != 0) continue;
      ASSERT_TRUE(store->checkpoint(fold.take()));
      work.retire(commit.number);
      expect_rows(*store, work);
      if (random() % 4 == 0) expect_recovered(*store, dir.path(), work);
    }
    expect_recovered(*store, dir.path(), work);
    ASSERT_TRUE(store->checkpoint(fold.take()));
    work.retire(work.last_number());
    expect_rows(*store, work);
    expect_recovered(*store, dir.path(), work);
    for (const JobState state :
         {JobState::kCompleted, JobState::kFailed, JobState::kTimeout, JobState::kCancelled})
      EXPECT_TRUE(work.endings().contains(state)) << "the workload never came to " << state_name(state);
  }
}

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

// What recover() says about this store and this testimony.
std::string verdict(const Store& store, const std::string& directory) {
  State state;
  const auto witness = Witness::open(directory).value();
  const auto recovered = recover(store, witness, state, [](uint64_t, ByteView, ByteView) { return true; });
  return recovered ? "good" : recovered.error().text;
}

void testify(const std::string& directory, uint64_t commit, const ChainHash& hash) {
  auto witness = Witness::open(directory).value();
  ASSERT_TRUE(witness.record({commit, hash}));
}

TEST(Recovery, HaltsWhenItIsBehindTheWitness) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  Workload work(*store, 4);
  for (int i = 0; i < 5; ++i) commit_to(*store, work);
  testify(dir.path(), 5, work.last_hash());
  EXPECT_EQ(verdict(*store, dir.path()), "good");
  commit_to(*store, work);
  EXPECT_EQ(verdict(*store, dir.path()), "good");
  testify(dir.path(), 7, work.last_hash());
  const std::string text = verdict(*store, dir.path());
  EXPECT_NE(text.find("ends at commit 6, but commit 7 was acknowledged"), std::string::npos) << text;
  EXPECT_NE(text.find("restore the directory from a backup"), std::string::npos) << text;
}

TEST(Recovery, HaltsWhenTheStoreIsGoneButTheWitnessIsThere) {
  const TempDir dir;
  testify(dir.path(), 3, {});
  const auto store = open_store(dir.path());
  const std::string text = verdict(*store, dir.path());
  EXPECT_NE(text.find("ends at commit 0, but commit 3 was acknowledged"), std::string::npos) << text;
}

TEST(Recovery, HaltsWhenTheWitnessSawAnotherCommitUnderThatNumber) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  Workload work(*store, 5);
  for (int i = 0; i < 5; ++i) commit_to(*store, work);
  testify(dir.path(), 5, ChainHash{1, 2, 3});
  const std::string text = verdict(*store, dir.path());
  EXPECT_NE(text.find("is not the one that was acknowledged"), std::string::npos) << text;
}

TEST(Recovery, RefusesAJournalWhoseChainIsBroken) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  const auto other = open_store(dir.path() + "/other");
  Workload work(*store, 6);
  Workload another(*other, 7);
  for (int i = 0; i < 3; ++i) commit_to(*store, work);
  for (int i = 0; i < 3; ++i) commit_to(*other, another);
  const Commit stray = another.commit();
  ASSERT_TRUE(store->append(4, *stray.entry, *stray.block_bytes));
  const std::string text = verdict(*store, dir.path());
  EXPECT_NE(text.find("commit 4 is not chained to the commit before it"), std::string::npos) << text;
}

TEST(Recovery, RefusesACommitWhoseBlockIsMissing) {
  const TempDir dir;
  const auto store = open_store(dir.path());
  Workload work(*store, 8);
  Commit commit = work.commit();
  while (commit.block_bytes->empty()) {
    ASSERT_TRUE(store->append(commit.number, *commit.entry, *commit.block_bytes));
    commit = work.commit();
  }
  ASSERT_TRUE(store->append(commit.number, *commit.entry, {}));
  const std::string text = verdict(*store, dir.path());
  EXPECT_NE(text.find("its block is missing or cut short"), std::string::npos) << text;
}

// A checkpointer over a store of its own, and what it told.
class CheckpointerTest : public testing::Test {
 protected:
  void start(CheckpointerOptions options) { start(options, RowFold(*store_, {}, 0)); }
  void start(CheckpointerOptions options, RowFold fold) {
    checkpointer_ = std::make_unique<Checkpointer>(
        *store_, witness_, std::move(fold), options,
        Checkpointer::Callbacks{[this](uint64_t covered) { covered_ = covered; },
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
