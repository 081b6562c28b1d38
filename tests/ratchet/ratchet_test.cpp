// The parts of the ratchet: what it reads, and what it holds against what. tests/run lets the ratchet itself
// run, optimised.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/ratchet/callgrind_file.h"
#include "tests/ratchet/counts.h"
#include "tests/ratchet/piece.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::ratchet {
namespace {

constexpr const char* kCountsFile = PQD_SOURCE_DIR "/tests/ratchet/counts.txt";

Counts counts_of(std::vector<Count> pieces) { return {tools_here(), std::move(pieces)}; }

class CountingThings final : public Meter {
 public:
  void begin() override {
    EXPECT_FALSE(running);
    running = true;
  }
  void end(uint64_t more) override {
    EXPECT_TRUE(running);
    running = false;
    things += more;
  }
  bool running = false;
  uint64_t things = 0;
};

class EachPiece : public testing::TestWithParam<size_t> {};

TEST_P(EachPiece, DoesTheSameNumberOfThingsEachRound) {
  const PieceKind& kind = all_pieces()[GetParam()];
  const auto piece = kind.make();
  CountingThings first, second;
  piece->round(first);
  piece->round(second);
  EXPECT_GE(first.things, 1024u);
  EXPECT_EQ(first.things, second.things);
  EXPECT_FALSE(second.running);
}

INSTANTIATE_TEST_SUITE_P(Pieces, EachPiece, testing::Range(size_t{0}, all_pieces().size()),
                         [](const auto& index) {
                           std::string name(all_pieces()[index.param].name);
                           std::erase(name, '-');
                           return name;
                         });

TEST(Ratchet, FindsAPieceThatTakesMore) {
  const auto faults =
      differences(counts_of({{"a", 1'000, 0}, {"b", 500, 0}}), counts_of({{"a", 1'021, 0}, {"b", 509, 0}}));
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0], "a takes more: 1000.0 were written, now 1021.0 (+2.1 %)");
}

TEST(Ratchet, WantsWhatWasWonToBeWritten) {
  const auto faults = differences(counts_of({{"a", 1'000, 0}}), counts_of({{"a", 900, 0}}));
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0], "a takes less: 1000.0 were written, now 900.0 (-10.0 %)");
}

TEST(Ratchet, LetsSmallDifferencesPass) {
  EXPECT_TRUE(
      differences(counts_of({{"a", 1'000, 100}, {"b", 10, 0}}), counts_of({{"a", 981, 101}, {"b", 10.9, 0}}))
          .empty());
}

TEST(Ratchet, FindsPiecesThatOnlyOneHas) {
  const auto faults = differences(counts_of({{"gone", 1, 0}}), counts_of({{"come", 1, 0}}));
  EXPECT_EQ(faults, (std::vector<std::string>{"come is new", "gone is written and was not counted"}));
}

TEST(Ratchet, ComparesLibcryptoWithItsOwnVersionAlone) {
  Counts written = counts_of({{"a", 100, 4'000}});
  const Counts found = counts_of({{"a", 100, 8'000}});
  EXPECT_EQ(differences(written, found).size(), 1u);
  written.tools.libcrypto = "another";
  EXPECT_TRUE(differences(written, found).empty());
}

TEST(Ratchet, ReadsWhatItWrites) {
  const Counts counts = counts_of({{"lane-publish", 119.9, 0}, {"life-fifo", 26'499.5, 18'003.2}});
  const auto read = parse_counts(text_of(counts));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->tools, counts.tools);
  EXPECT_TRUE(differences(counts, *read).empty());
  EXPECT_FALSE(parse_counts("life-fifo 1\n"));
  EXPECT_FALSE(parse_counts("life-fifo 1 2 3\n"));
  EXPECT_FALSE(parse_counts("life-fifo 1 many\n"));
}

TEST(Ratchet, HasACountOfEveryPiece) {
  const auto written = parse_counts(test::read_file(kCountsFile));
  ASSERT_TRUE(written) << written.error();
  std::vector<std::string> counted, there;
  for (const Count& count : written->pieces) {
    counted.push_back(count.piece);
    EXPECT_GT(count.own, 0) << count.piece;
  }
  for (const PieceKind& kind : all_pieces()) there.emplace_back(kind.name);
  EXPECT_EQ(counted, there);
}

constexpr const char* kCallgrind = R"(version: 1
positions: line
events: Ir
desc: Trigger: Client Request: life-fifo 2
summary: 29

ob=(1) /usr/bin/ratchet
fl=(1) a.cpp
fn=(1) f()
12 5
+3 2
cob=(2) /usr/lib/libcrypto.so.3
cfn=(2) EVP_Digest
calls=1 0
* 20
ob=(2)
fn=(2)
0 20
ob=(1)
fn=(3) g()
-4 2

totals: 29
)";

TEST(CallgrindFile, CountsEachInstructionOnce) {
  const auto file = read_callgrind(kCallgrind);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->request, "life-fifo 2");
  EXPECT_EQ(file->by_object,
            (std::map<std::string, uint64_t>{{"/usr/bin/ratchet", 9}, {"/usr/lib/libcrypto.so.3", 20}}));
  EXPECT_EQ(file->of_library("libcrypto.so"), 20u);
  EXPECT_EQ(file->of_library("libc.so"), 0u);
}

TEST(CallgrindFile, IsNotBelievedWhenItDoesNotAddUp) {
  std::string text = kCallgrind;
  text.replace(text.find("12 5"), 4, "12 6");
  EXPECT_FALSE(read_callgrind(text));
}

TEST(Micro, TellsTheTimeOfWhatItIsAskedForIntoItsPage) {
  const std::string micro = PQD_BIN_DIR "/micro";
  if (!std::filesystem::exists(micro)) GTEST_SKIP() << "built without Google Benchmark";
  const test::TempDir directory;
  const std::string page = directory.path("page.md");
  test::write_file(
      page,
      "<!-- figures of pieces: written by micro --write-figures -->\n<!-- end of figures of pieces -->\n");
  const test::Ran ran = test::run(
      {micro, "lane-publish", "life-fifo", "--seconds", "0.001", "--repeats", "1", "--write-figures", page});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  EXPECT_NE(ran.out.find("s / record ("), std::string::npos) << ran.out;
  EXPECT_NE(test::read_file(page).find("    life-fifo "), std::string::npos);
  EXPECT_EQ(ran.out.find("client-encode"), std::string::npos);
  EXPECT_EQ(test::run({micro, "no-such-piece"}).exit, 64);
}

}  // namespace
}  // namespace pqd::ratchet
