#include "daemon/supervisor/largest_payload.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.h"

namespace pqd::supervisor_test {
namespace {

using test::read_file;
using test::TempDir;
using test::write_file;

TEST(LargestPayload, IsTheLargestThatItEverWas) {
  TempDir directory;
  EXPECT_EQ(largest_payload(directory.path(), 1000), 1000u);
  EXPECT_EQ(largest_payload(directory.path(), 5000), 5000u);
  EXPECT_EQ(largest_payload(directory.path(), 200), 5000u);
  EXPECT_EQ(read_file(directory.path("largest_payload")), "5000\n");
}

TEST(LargestPayload, IsNotGuessedFromADamagedFile) {
  TempDir directory;
  for (const char* text : {"", "\n", "12", "12 \n", "-1\n", "0\n", "99999999999\n", "999999999\n"}) {
    write_file(directory.path("largest_payload"), text);
    const auto largest = largest_payload(directory.path(), 1000);
    ASSERT_FALSE(largest) << text;
    EXPECT_EQ(largest.error().exit_status, 78);
    EXPECT_NE(largest.error().text.find("largest_payload is damaged"), std::string::npos);
  }
}

TEST(LargestPayload, SaysWhereItCannotBeWritten) {
  TempDir directory;
  const std::string path = directory.path("largest_payload.new");
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  const auto largest = largest_payload(directory.path(), 1000);
  ASSERT_FALSE(largest);
  EXPECT_NE(largest.error().text.find(directory.path("largest_payload")), std::string::npos);
}

}  // namespace
}  // namespace pqd::supervisor_test
