#include "tools/demo/results.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tools/demo/file_list.h"
#include "tools/demo/sha256.h"

namespace pqd::demo {
namespace {

TEST(Digests, AreReadFromRecordsThatEndInZeroBytes) {
  const std::string digest(64, 'a');
  const std::string output = digest + "  /a b\n" + '\0' + digest + " */c" + '\0' + "rubbish" + '\0';
  const Digests digests = parse_digests(output);
  ASSERT_EQ(digests.size(), 2u);
  EXPECT_EQ(digests.at("/a b\n"), digest);
  EXPECT_EQ(digests.at("/c"), digest);
}

TEST(Digests, OfSha256sumAreOursAndLeaveOutWhatIsNotThere) {
  Signals signals;
  auto scratch = Scratch::create();
  ASSERT_TRUE(scratch);
  const std::string path = scratch->file("strange\n\\name");
  std::ofstream(path) << "text";
  ASSERT_TRUE(write_list(scratch->file("list"), {{path, 4, 0, 0}, {scratch->file("missing"), 0, 0, 0}}));
  const auto digests = run_sha256sum(scratch->file("list"), *scratch, signals);
  ASSERT_TRUE(digests) << digests.error();
  ASSERT_EQ(digests->size(), 1u);
  EXPECT_EQ(digests->at(path), sha256_of_file(path));
}

}  // namespace
}  // namespace pqd::demo
