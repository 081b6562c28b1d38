#include <fstream>

#include "tests/daemon/store/fixtures.h"

namespace pqd {
namespace {

using test::open_store;
using test::TempDir;

void write_file(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

TEST(Format, OfALaterVersionIsRefusedAndLeftAlone) {
  const TempDir dir;
  { ASSERT_TRUE(test::append_numbered(*open_store(dir.path()), 1)); }
  write_file(dir.path() + "/format", "pqd 2\n");
  const auto before = std::filesystem::last_write_time(dir.path() + "/db");
  const auto store = Store::open({.directory = dir.path()});
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("format 2"), std::string::npos) << store.error().text;
  EXPECT_NE(store.error().text.find("use the pqd that wrote it"), std::string::npos) << store.error().text;
  EXPECT_EQ(std::filesystem::last_write_time(dir.path() + "/db"), before);
  write_file(dir.path() + "/format", "pqd 1\n");
  EXPECT_EQ(open_store(dir.path())->last_commit(), 1u);
}

TEST(Format, OfSomebodyElseIsRefused) {
  for (const char* text : {"", "pqd", "pqd \n", "pqd 1", "pqd 1 \n", "pqd -1\n", "postgres 15\n"}) {
    const TempDir dir;
    write_file(dir.path() + "/format", text);
    const auto store = Store::open({.directory = dir.path()});
    ASSERT_FALSE(store) << text;
    EXPECT_NE(store.error().text.find("is not pqd's"), std::string::npos) << store.error().text;
    EXPECT_FALSE(std::filesystem::exists(dir.path() + "/db"));
  }
}

TEST(Format, MustStandBesideADatabaseOrItIsNotOurs) {
  const TempDir dir;
  std::filesystem::create_directory(dir.path() + "/db");
  write_file(dir.path() + "/db/CURRENT", "somebody's");
  const auto store = Store::open({.directory = dir.path()});
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("not a state directory of pqd"), std::string::npos) << store.error().text;
}

// The child dies somewhere between its first mkdir and the open store: each start after it must succeed.
TEST(Format, LetsAFirstStartBeInterruptedAnywhere) {
  for (int delay_us = 0; delay_us < 40'000; delay_us += 1'900) {
    const TempDir dir;
    test::Child starter([&dir](int fd) {
      test::tell(fd, 1);
      const auto store = open_store(dir.path() + "/state");
      ::pause();
    });
    ASSERT_TRUE(starter.hear());
    std::this_thread::sleep_for(std::chrono::microseconds(delay_us));  // varies the moment, waits for nothing
    starter.kill();
    const auto store = open_store(dir.path() + "/state");
    ASSERT_TRUE(store) << "killed after " << delay_us << " us";
    EXPECT_EQ(store->last_commit(), 0u);
  }
}

}  // namespace
}  // namespace pqd
