#include "core/journal_entry.h"

#include <gtest/gtest.h>

#include <map>

#include "core/commit.h"
#include "core/short_hash.h"

namespace pqd {
namespace {

Commit commit_of(BlockPool& pool, uint64_t number, const ChainHash& previous, uint32_t epoch) {
  CommitBuilder builder(pool, number, 1'000 + static_cast<TimeNs>(number));
  builder.add(TimePassed{55});
  builder.add(EpochStarted{epoch});
  builder.add_blob(as_bytes("some bytes"));
  return builder.close(previous);
}

// The example of FIPS 180-2.
TEST(EntryHash, IsASha256) {
  const ChainHash hash = entry_hash(as_bytes("abc"));
  constexpr std::array<uint8_t, 8> kFirst{0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea};
  constexpr std::array<uint8_t, 8> kLast{0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
  EXPECT_TRUE(std::equal(kFirst.begin(), kFirst.end(), hash.begin()));
  EXPECT_TRUE(std::equal(kLast.begin(), kLast.end(), hash.end() - kLast.size()));
}

TEST(JournalEntry, SaysWhatItHolds) {
  BlockPool pool;
  ChainHash previous{};
  previous[0] = 9;
  const Commit commit = commit_of(pool, 12, previous, 3);
  const auto entry = read_entry(*commit.entry);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->head.number, 12u);
  EXPECT_EQ(entry->head.now_ns, 1'012);
  EXPECT_EQ(entry->head.event_count, 2u);
  EXPECT_EQ(entry->head.block_bytes, 10u);
  EXPECT_EQ(entry->head.previous, previous);
  EXPECT_EQ(commit.hash, entry_hash(*commit.entry));
}

TEST(JournalEntry, ChainShowsAnEditAGapAndAReordering) {
  BlockPool pool;
  std::vector<Commit> chain;
  for (uint64_t number = 1; number <= 4; ++number)
    chain.push_back(commit_of(pool, number, chain.empty() ? ChainHash{} : chain.back().hash, 1));
  const auto linked = [](ByteView first, ByteView second) {
    return read_entry(second)->head.previous == entry_hash(first);
  };
  for (size_t i = 1; i < chain.size(); ++i) EXPECT_TRUE(linked(*chain[i - 1].entry, *chain[i].entry));
  EXPECT_FALSE(linked(*chain[0].entry, *chain[2].entry)) << "a gap";
  EXPECT_FALSE(linked(*chain[2].entry, *chain[1].entry)) << "a reordering";
  for (size_t at = 0; at < chain[0].entry->size(); ++at) {
    Bytes edited = *chain[0].entry;
    edited[at] ^= std::byte{1};
    EXPECT_FALSE(linked(edited, *chain[1].entry)) << "byte " << at;
  }
}

TEST(JournalEntry, DamagedFrameIsFound) {
  BlockPool pool;
  const Bytes good = *commit_of(pool, 1, {}, 1).entry;
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(read_entry(ByteView(good).first(size)).has_value()) << size;
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(read_entry(longer).has_value());
  for (const size_t at :
       {offsetof(EntryHead, magic), offsetof(EntryHead, version), offsetof(EntryHead, event_bytes)}) {
    Bytes bad = good;
    bad[at] ^= std::byte{1};
    EXPECT_FALSE(read_entry(bad).has_value()) << "byte " << at;
  }
}

struct Hashes {
  std::map<JobNo, ShortHash> payloads, results;
  void operator()(const Submitted& e) { payloads[e.job] = e.payload_hash; }
  void operator()(const Completed& e) { results[e.job] = e.result_hash; }
  template <class Event>
  void operator()(const Event&) {}
};

// Numbers of every length stand before and behind the hashes.
Commit commit_to_seal(BlockPool& pool) {
  CommitBuilder builder(pool, 7, 1'000);
  builder.add_blob(as_bytes("before"));
  for (const JobNo job : {JobNo{1}, JobNo{1} << 20, JobNo{1} << 60}) {
    const std::string bytes = "of job " + std::to_string(job);
    Submitted submitted;
    submitted.job = submitted.ready_seq = job;
    builder.add(submitted, builder.add_blob(as_bytes(bytes)));
    const BlobRef result = builder.add_blob(as_bytes("done: " + bytes));
    builder.add(Completed{job, result, {}}, result);
  }
  builder.add(EpochStarted{4});
  return builder.close();
}

TEST(Seal, PutsTheHashesOfPayloadsAndResultsIntoTheirEvents) {
  BlockPool pool;
  Commit commit = commit_to_seal(pool);
  ChainHash previous{};
  previous.fill(3);
  seal(commit, previous);
  const auto entry = read_entry(*commit.entry);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->head.previous, previous);
  EXPECT_EQ(entry->head.event_count, 7u);
  EXPECT_EQ(commit.hash, entry_hash(*commit.entry));
  ByteReader reader(entry->events);
  Hashes hashes;
  while (reader.remaining() > 0) ASSERT_TRUE(decode_event(reader, hashes));
  ASSERT_EQ(hashes.payloads.size(), 3u);
  for (const auto& [job, hash] : hashes.payloads) {
    const std::string bytes = "of job " + std::to_string(job);
    EXPECT_EQ(hash, short_hash(as_bytes(bytes)));
    EXPECT_EQ(hashes.results[job], short_hash(as_bytes("done: " + bytes)));
  }
}

TEST(Seal, IsTheSameWhoeverHasMadeThePayloadsHashes) {
  BlockPool pool;
  Commit at_once = commit_to_seal(pool);
  Commit in_two = commit_to_seal(pool);
  make_due_hashes(in_two);
  EXPECT_TRUE(in_two.due.empty());
  seal(at_once, {});
  seal(in_two, {});
  EXPECT_EQ(*at_once.entry, *in_two.entry);
  EXPECT_EQ(at_once.hash, in_two.hash);
}

TEST(CommitBuilder, BlobsStandOnEightByteBoundariesAndTheLastCanBeDropped) {
  BlockPool pool;
  CommitBuilder builder(pool, 1, 0);
  const BlobRef first = builder.add_blob(as_bytes("abc"));
  const BlobRef second = builder.add_blob(as_bytes("defgh"));
  EXPECT_EQ(first.offset % 8, 0u);
  EXPECT_EQ(second.offset, 8u);
  builder.drop_last(second);
  const BlobRef third = builder.add_blob(as_bytes("x"));
  EXPECT_EQ(third.offset, 8u);
  EXPECT_EQ(as_text(builder.blob(first)), "abc");
  EXPECT_EQ(as_text(builder.blob(third)), "x");
  EXPECT_EQ(builder.add_blob({}), BlobRef{});
  builder.close();
  EXPECT_EQ(pool.blocks_in_use(), 0u) << "nobody uses the block";
}

TEST(BlockPool, CountsBytesUntilTheLastUserGoes) {
  BlockPool pool;
  CommitBuilder builder(pool, 1, 0);
  const BlobRef blob = builder.add_blob(as_bytes("12345678"));
  const RecordRef ref = builder.ref(blob);
  pool.add_user(ref.block);
  builder.close();
  EXPECT_EQ(pool.bytes_in_use(), 8u);
  pool.drop_user(ref.block);
  EXPECT_EQ(pool.bytes_in_use(), 0u);
  EXPECT_EQ(pool.blocks_in_use(), 0u);
}

TEST(BlockPool, SealedBlockHasLittleMoreMemoryThanBytes) {
  BlockPool pool;
  for (int commit = 1; commit <= 3; ++commit) {
    CommitBuilder builder(pool, 1, 0);
    BlobRef blob;
    for (int i = 0; i < 1'000 * commit; ++i) blob = builder.add_blob(as_bytes("a record that is short"));
    const RecordRef ref = builder.ref(blob);
    pool.add_user(ref.block);
    const Commit closed = builder.close();
    EXPECT_LE(closed.block_bytes->capacity(), closed.block_bytes->size() * 17 / 16);
    EXPECT_EQ(pool.view(ref).size(), 22u);
    EXPECT_EQ(as_text(pool.view(ref)), "a record that is short");
    EXPECT_EQ(pool.shared(ref.block), closed.block_bytes) << "one copy of it";
  }
}

// A copy of each would be as much work as taking its records in.
TEST(BlockPool, BlockOfAFullCommitStaysWhereItWasFilled) {
  BlockPool pool;
  for (int commit = 1; commit <= 2; ++commit) {
    CommitBuilder builder(pool, 1, 0);
    RecordRef ref;
    while (!builder.full()) ref = builder.ref(builder.add_blob(as_bytes("a record that is short")));
    pool.add_user(ref.block);
    const std::byte* const filled = pool.view(ref).data();
    const Commit closed = builder.close();
    EXPECT_EQ(pool.view(ref).data(), filled);
    EXPECT_LE(closed.block_bytes->capacity(), closed.block_bytes->size() * 17 / 16);
  }
}

TEST(BlockPool, BlockThatIsOpenedInAnOthersMemoryBeginsEmpty) {
  BlockPool pool;
  CommitBuilder first(pool, 1, 0);
  for (int i = 0; i < 100; ++i) first.add_blob(as_bytes("12345678"));
  first.close();
  CommitBuilder second(pool, 2, 0);
  EXPECT_EQ(second.add_blob(as_bytes("abc")).offset, 0u);
  EXPECT_EQ(second.close().block_bytes->size(), 3u);
}

TEST(BlockPool, CountsBytesThatWereReadBackFromTheStore) {
  BlockPool pool;
  const BlockNo block = pool.adopt_rows(Bytes(100));
  EXPECT_EQ(pool.bytes_in_use(), 100u);
  pool.drop_user(block);
  EXPECT_EQ(pool.bytes_in_use(), 0u);
}

// A full commit of records, each of which a job has.
BlockNo full_block(BlockPool& pool, uint64_t number) {
  CommitBuilder builder(pool, number, 0);
  while (!builder.full()) builder.add_blob(Bytes(1'000));
  pool.add_record(builder.ref({}).block);
  return builder.close().block;
}

// As a rule the jobs that came first are wanted first.
TEST(BlockPool, LetsTheLatestThatIsCoveredGoUntilNoMoreThanAskedForAreInUse) {
  BlockPool pool;
  const BlockNo first = full_block(pool, 1), second = full_block(pool, 2), third = full_block(pool, 3);
  const size_t all = pool.bytes_in_use();
  pool.let_go(2, all - 1);
  EXPECT_FALSE(pool.is_away(first));
  EXPECT_TRUE(pool.is_away(second));
  EXPECT_FALSE(pool.is_away(third)) << "no checkpoint covers it";
  pool.let_go(2, 0);
  EXPECT_TRUE(pool.is_away(first));
  EXPECT_FALSE(pool.is_away(third));
  EXPECT_EQ(pool.bytes_in_use(), all / 3);
  for (const BlockNo block : {first, second, third}) pool.drop_record(block);
  EXPECT_EQ(pool.bytes_in_use(), 0u);
  EXPECT_EQ(pool.blocks_in_use(), 0u);
}

// Of so many bytes, with the record of a job.
BlockNo wanted_block(BlockPool& pool, size_t bytes) {
  const BlockNo block = pool.adopt_wanted(Bytes(bytes));
  pool.add_record(block);
  pool.drop_user(block);
  return block;
}

TEST(BlockPool, LetsWhatWasReadBackGoInTheOrderInWhichItWasRead) {
  BlockPool pool;
  const BlockNo stored = pool.adopt_rows(Bytes(1'000));
  pool.add_record(stored);
  pool.drop_user(stored);
  std::vector<BlockNo> read;
  for (int i = 0; i < 4; ++i) read.push_back(wanted_block(pool, 3u << 20));
  pool.let_read_back_go(SIZE_MAX);
  EXPECT_FALSE(pool.is_away(read[0]));
  pool.add_user(read[1]);
  pool.let_read_back_go(0);
  EXPECT_TRUE(pool.is_away(read[0]));
  EXPECT_FALSE(pool.is_away(read[1])) << "somebody reads it";
  EXPECT_TRUE(pool.is_away(read[2]));
  EXPECT_FALSE(pool.is_away(stored));
  EXPECT_FALSE(pool.is_away(read[3])) << "it is about to be wanted";
  EXPECT_EQ(pool.bytes_in_use(), 1'000u + (6u << 20));
  pool.drop_user(read[1]);
  pool.let_go(0, 0);
  EXPECT_EQ(pool.bytes_in_use(), 0u);
}

TEST(BlockPool, KeepsWhatSomebodyReads) {
  BlockPool pool;
  const BlockNo block = full_block(pool, 1);
  pool.add_user(block);
  pool.let_go(1, 0);
  EXPECT_FALSE(pool.is_away(block));
  pool.drop_user(block);
  pool.let_go(1, 0);
  EXPECT_TRUE(pool.is_away(block));
  pool.drop_record(block);
}

TEST(BlockPool, FillsTheMemoryOfWhatWentAgain) {
  BlockPool pool;
  const BlockNo away = full_block(pool, 1);
  const void* const memory = pool.shared(away)->data();
  pool.let_go(1, 0);
  const BlockNo next = pool.open();
  EXPECT_EQ(pool.shared(next)->data(), memory);
  EXPECT_TRUE(pool.shared(next)->empty());
}

TEST(BlockPool, LeavesMemoryToWhoeverStillReadsIt) {
  BlockPool pool;
  const BlockNo away = full_block(pool, 1);
  const auto reader = pool.shared(away);
  pool.let_go(1, 0);
  EXPECT_TRUE(pool.is_away(away));
  EXPECT_NE(pool.shared(pool.open())->data(), reader->data());
  EXPECT_FALSE(reader->empty());
}

}  // namespace
}  // namespace pqd
