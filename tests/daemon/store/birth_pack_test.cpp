// Rows of jobs as they were born, packed without their records, which stay in the blocks of their commits.
#include "daemon/store/birth_pack.h"

#include <algorithm>
#include <random>

#include "core/commit.h"
#include "daemon/store/salvage.h"
#include "daemon/store/store_check.h"
#include "tests/daemon/store/birth_packs.h"

namespace pqd::test {
namespace {

TEST(BirthPackTest, GivesBackWholeRows) {
  const BornTogether born(5, 1, 64);
  const Bytes packed = pack_births(born.births, {5, 0});
  size_t whole = 0;
  for (const Birth& birth : born.births) whole += birth.whole_row().size();
  EXPECT_LT(packed.size(), whole / 3);
  PackHead head;
  for (JobNo i = 0; i < 64; ++i) ASSERT_TRUE(head.add(i));
  head.piece = BlockPiece{5, 0};
  const auto laid = lay_rows(head, packed, born.bytes);
  ASSERT_TRUE(laid);
  ASSERT_EQ(laid->rows.size(), 64u);
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_TRUE(std::ranges::equal(laid->rows[i], born.births[i].whole_row())) << i;
    JobRow row = row_of(i + 1);
    row.record = bytes_of(i + 1, 20 + (i + 1) % 90);
    EXPECT_EQ(born.births[i].whole_row(), encode_row(row));
  }
}

TEST(BirthPackTest, IsRefusedWhenItIsCutOrGoesOnOrItsPieceIsShorter) {
  const BornTogether born(5, 1, 20);
  PackHead head;
  for (JobNo i = 0; i < 20; ++i) ASSERT_TRUE(head.add(i));
  head.piece = BlockPiece{5, 0};
  Bytes packed = pack_births(born.births, *head.piece);
  for (size_t cut = 0; cut < packed.size(); ++cut)
    ASSERT_FALSE(lay_rows(head, ByteView(packed).first(cut), born.bytes)) << cut;
  for (size_t cut = 0; cut < born.bytes.size(); ++cut)
    ASSERT_FALSE(lay_rows(head, packed, ByteView(born.bytes).first(cut))) << cut;
  packed.push_back({});
  EXPECT_FALSE(lay_rows(head, packed, born.bytes));
}

// Damage gets by RocksDB's checksums only when it was written so: then rows may be wrong, and nothing is read
// that is not there.
TEST(BirthPackTest, OfAnyBytesReadsNothingThatIsNotThere) {
  const BornTogether born(5, 1, 20);
  PackHead head;
  for (JobNo i = 0; i < 20; ++i) ASSERT_TRUE(head.add(i));
  head.piece = BlockPiece{5, 0};
  const Bytes packed = pack_births(born.births, *head.piece);
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    Bytes other = packed;
    for (auto n = 1 + random() % 3; n > 0; --n)
      other[random() % other.size()] = static_cast<std::byte>(random());
    if (const auto laid = lay_rows(head, other, born.bytes)) {
      for (const ByteView row : laid->rows) (void)decode_row(row);
    }
  }
}

TEST(BlockPieceKeyTest, StandsInTheOrderOfPlaces) {
  std::vector<Bytes> keys;
  for (const BlockPiece& piece : {BlockPiece{1, 0}, {1, 8}, {1, 300}, {2, 0}, {2, 70'000}, {300, 0}}) {
    const BlockPieceKey key(piece);
    keys.emplace_back(key.bytes().begin(), key.bytes().end());
    EXPECT_EQ(BlockPieceKey::read(key.bytes()), std::optional(piece));
  }
  EXPECT_TRUE(std::ranges::is_sorted(keys));
  EXPECT_FALSE(BlockPieceKey::read(Bytes(7)));
  EXPECT_FALSE(BlockPieceKey::read(Bytes(12))) << "the first piece has a shorter key";
}

TEST(BlockCuts, AreAfterSoManyRecordsOrBytesOrBeforeALargeOne) {
  BlockPool blocks;
  CommitBuilder commit(blocks, 1, 0);
  std::vector<uint32_t> places;
  const auto add = [&](size_t bytes) { places.push_back(commit.add_blob(Bytes(bytes)).offset); };
  for (size_t i = 0; i <= kBlockPieceRecords; ++i) add(10);
  add(kBlockPieceBytes - 16);
  add(1);
  add(2 * kBlockPieceBytes);
  add(1);
  const Commit closed = commit.close();
  const size_t n = kBlockPieceRecords;
  const std::vector<uint32_t> wanted{places[n], places[n + 2], places[n + 3], places[n + 4]};
  EXPECT_EQ(closed.cuts, wanted);
}

TEST(BlockCuts, AreTheSameWhenRecordsWereTakenOutAgain) {
  BlockPool blocks;
  CommitBuilder commit(blocks, 1, 0);
  std::vector<uint32_t> places;
  for (size_t i = 0; i < 3 * kBlockPieceRecords; ++i) {
    commit.drop_last(commit.add_blob(Bytes(700)));
    places.push_back(commit.add_blob(Bytes(10)).offset);
    commit.drop_last(commit.add_blob(Bytes(10)));
  }
  const Commit closed = commit.close();
  ASSERT_GE(closed.cuts.size(), 2u);
  uint32_t before = 0;
  for (const uint32_t cut : closed.cuts) {
    EXPECT_TRUE(std::ranges::find(places, cut) != places.end()) << "a record begins there";
    EXPECT_GT(cut, before);
    EXPECT_LE(cut - before, kBlockPieceRecords * 16);
    before = cut;
  }
}

TEST_F(BirthPacks, KeepThePiecesOfBlocksThatTheirRecordsStandIn) {
  bear(1, 200);
  expect_as_put();
  EXPECT_EQ(keys_in("packs"), 4u);
  EXPECT_EQ(keys_in("blocks"), 4u);
  EXPECT_EQ(keys_in("live"), 0u);
  expect_as_put();
  bear(201, 64);
  EXPECT_EQ(keys_in("blocks"), 5u);
  expect_as_put();
}

TEST_F(BirthPacks, AreNotMadeOfAFewSmallOnes) {
  bear(1, 7);
  bear(10, 7);
  EXPECT_EQ(keys_in("blocks"), 0u);
  bear(20, 1, 100'000);
  EXPECT_EQ(keys_in("blocks"), 1u) << "its record is not written twice";
  expect_as_put();
}

TEST_F(BirthPacks, OfAFewJobsEachAreOnePackOfWholeRows) {
  bear_a_few_each(1, 40);
  EXPECT_EQ(keys_in("packs"), 1u);
  EXPECT_EQ(keys_in("blocks"), 0u);
  expect_as_put();
}

TEST_F(BirthPacks, TakeThePieceAlongWhenTheyGo) {
  bear(1, 128);
  end(1, 64);
  EXPECT_EQ(keys_in("blocks"), 1u);
  expect_as_put();
  end(65, 112);
  EXPECT_EQ(keys_in("packs") + keys_in("blocks"), 0u) << "a quarter is left";
  EXPECT_EQ(keys_in("live"), 16u);
  expect_as_put();
}

TEST_F(BirthPacks, LetOnePackHaveAPieceAndNoMore) {
  // As an append without cuts has it.
  BornTogether born(1, 1, 150);
  born.cuts.clear();
  append(born);
  CheckpointBatch batch;
  born.join(batch);
  put(batch);
  EXPECT_EQ(keys_in("blocks"), 1u);
  EXPECT_EQ(keys_in("packs"), 3u);
  expect_as_put();
  end(1, 64);
  EXPECT_EQ(keys_in("blocks"), 0u);
  expect_as_put();
}

TEST_F(BirthPacks, AreWhatTheyWereAfterAnyChangesAndNoPieceStaysBehind) {
  std::mt19937 random(17);
  JobNo next = 1;
  for (int turn = 0; turn < 80; ++turn) {
    CheckpointBatch batch;
    for (auto commits = random() % 3; commits > 0; --commits) {
      const BornTogether born(store->last_commit() + 1, next, random() % 150);
      append(born);
      next += born.births.size() + random() % 3;
      born.join(batch, [&](const Birth& /*each*/) { return turn % 3 != 0 || random() % 4 != 0; });
    }
    expected.change_some(random, next, batch);
    if (store->last_commit() == 0) continue;
    put(batch);
    if (turn % 10 == 9) reopen();
    if (turn % 4 == 0) expect_as_put();
  }
  expect_as_put();
  CheckpointBatch rest;
  expected.end_all(rest);
  put(rest);
  expect_as_put();
  EXPECT_EQ(keys_in("packs") + keys_in("packed_rows") + keys_in("blocks") + keys_in("live"), 0u);
}

TEST_F(BirthPacks, AndTheirCommitsReadABlockUpToThePieceThatIsMissing) {
  const BornTogether born(1, 1, 150);
  append(born);
  append(BornTogether(2, 151, 70));
  for (int i = 0; i < 2; ++i) {
    std::vector<Bytes> blocks;
    ASSERT_TRUE(store->for_each_commit(1, [&](uint64_t, ByteView, ByteView block) {
      blocks.emplace_back(block.begin(), block.end());
      return true;
    }));
    ASSERT_EQ(blocks.size(), 2u);
    EXPECT_EQ(blocks[0], born.bytes);
    EXPECT_EQ(blocks[1], BornTogether(2, 151, 70).bytes);
    reopen();
  }
  // What was never told to anybody goes with all its pieces.
  ASSERT_TRUE(store->go_on_after(1));
  EXPECT_EQ(keys_in("blocks"), 3u);
  store.reset();
  Database(path()).remove("blocks", piece_key({1, born.cuts[0]}));
  store = open_store(path());
  ASSERT_TRUE(store->for_each_commit(1, [&](uint64_t, ByteView, ByteView block) {
    EXPECT_EQ(block.size(), born.cuts[0]) << "up to what is missing";
    return true;
  }));
}

TEST_F(BirthPacks, AreRefusedWithoutTheirPieces) {
  bear(1, 150);
  store.reset();
  {
    Database database(path());
    database.remove("blocks", piece_key({1, BornTogether(1, 1, 150).cuts[0]}));
  }
  store = open_store(path());
  EXPECT_FALSE(store->find_live(65).has_value());
  const auto read = store->for_each_live([](JobNo, ByteView) { return true; });
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().text.find("from 65 on are missing or cannot be read"), std::string::npos)
      << read.error().text;
  EXPECT_TRUE(store->find_live(64).value().has_value()) << "others can be had";
}

}  // namespace
}  // namespace pqd::test
