// What comes back is what was there; what cannot be trusted is refused, with a reason.
#include "daemon/store/recovery.h"

#include "daemon/store/row_fold.h"
#include "tests/daemon/store/expectations.h"

namespace pqd {
namespace {

using test::commit_to;
using test::expect_recovered;
using test::expect_rows;
using test::open_store;
using test::TempDir;
using test::Workload;

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
    ASSERT_TRUE(store->append(commit.number, *commit.entry, *commit.block_bytes, commit.cuts));
    commit = work.commit();
  }
  ASSERT_TRUE(store->append(commit.number, *commit.entry, {}));
  const std::string text = verdict(*store, dir.path());
  EXPECT_NE(text.find("its block is missing or cut short"), std::string::npos) << text;
}

}  // namespace
}  // namespace pqd
