#include "daemon/store/witness.h"

#include <fstream>

#include "tests/daemon/store/fixtures.h"

namespace pqd {
namespace {

using test::TempDir;

Testimony testimony(uint64_t commit) {
  Testimony t;
  t.commit = commit;
  t.hash.fill(static_cast<uint8_t>(commit));
  return t;
}

void overwrite(const std::string& path, std::streamoff at, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file << bytes;
}

TEST(Witness, OfAFreshDirectoryHasSeenNothing) {
  const TempDir dir;
  EXPECT_FALSE(Witness::open(dir.path()).value().testimony());
  EXPECT_FALSE(Witness::open(dir.path()).value().testimony());
}

TEST(Witness, RemembersTheLatestTestimony) {
  const TempDir dir;
  for (uint64_t commit = 1; commit <= 5; ++commit) {
    auto witness = Witness::open(dir.path()).value();
    ASSERT_TRUE(witness.record(testimony(commit * 10)));
    ASSERT_TRUE(witness.record(testimony(commit * 10 + 1)));
    const auto again = Witness::open(dir.path()).value();
    ASSERT_TRUE(again.testimony());
    EXPECT_EQ(again.testimony()->commit, commit * 10 + 1);
    EXPECT_EQ(again.testimony()->hash, testimony(commit * 10 + 1).hash);
  }
}

TEST(Witness, FallsBackToTheEarlierTestimonyWhenTheLatestIsTorn) {
  const TempDir dir;
  auto witness = Witness::open(dir.path()).value();
  ASSERT_TRUE(witness.record(testimony(1)));  // into the second slot
  ASSERT_TRUE(witness.record(testimony(2)));  // into the first
  overwrite(dir.path() + "/witness", 40, "torn");
  auto again = Witness::open(dir.path()).value();
  ASSERT_TRUE(again.testimony());
  EXPECT_EQ(again.testimony()->commit, 1u);
  ASSERT_TRUE(again.record(testimony(3)));  // takes the torn slot's place
  overwrite(dir.path() + "/witness", 40, "torn");
  EXPECT_EQ(Witness::open(dir.path()).value().testimony()->commit, 1u);
}

// A size that changes with a record may be any size after a power cut, and half a slot would be damage.
TEST(Witness, HasRoomForBothSlotsBeforeItRecordsAnything) {
  const TempDir dir;
  const std::string file = dir.path() + "/witness";
  auto witness = Witness::open(dir.path()).value();
  const auto size = std::filesystem::file_size(file);
  EXPECT_EQ(test::read_file(file), std::string(size, '\0'));
  for (uint64_t commit = 1; commit <= 3; ++commit) {
    ASSERT_TRUE(witness.record(testimony(commit)));
    EXPECT_EQ(std::filesystem::file_size(file), size);
  }
  // One that an earlier pqd made.
  std::filesystem::resize_file(file, size - 1'000);
  EXPECT_EQ(Witness::open(dir.path()).value().testimony()->commit, 3u);
  EXPECT_EQ(std::filesystem::file_size(file), size);
}

TEST(Witness, WithTwoDamagedSlotsIsRefusedWithARemedy) {
  const TempDir dir;
  auto witness = Witness::open(dir.path()).value();
  ASSERT_TRUE(witness.record(testimony(1)));
  ASSERT_TRUE(witness.record(testimony(2)));
  overwrite(dir.path() + "/witness", 40, "torn");
  overwrite(dir.path() + "/witness", 4096 + 40, "torn");
  const auto again = Witness::open(dir.path());
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().text.find("damaged"), std::string::npos) << again.error().text;
}

TEST(Witness, CutShortWithinItsFirstTestimonyIsRefused) {
  const TempDir dir;
  auto witness = Witness::open(dir.path()).value();
  ASSERT_TRUE(witness.record(testimony(1)));
  std::filesystem::resize_file(dir.path() + "/witness", 4096 + 50);
  EXPECT_FALSE(Witness::open(dir.path()));
}

}  // namespace
}  // namespace pqd
