#include "daemon/store/rocksdb_log.h"

#include "tests/daemon/store/fixtures.h"

namespace pqd {
namespace {

using test::TempDir;

TEST(RocksdbLog, HasWarningsAndKeepsTheOneBefore) {
  const TempDir dir;
  rocksdb::Log(rocksdb::WARN_LEVEL, open_rocksdb_log(dir.path()), "first %d", 1);
  const auto log = open_rocksdb_log(dir.path());
  rocksdb::Log(rocksdb::INFO_LEVEL, log, "not of interest");
  rocksdb::Log(rocksdb::WARN_LEVEL, log, "second %d", 2);
  EXPECT_NE(test::read_file(dir.path() + "/LOG.old").find(" first 1\n"), std::string::npos);
  const std::string now = test::read_file(dir.path() + "/LOG");
  EXPECT_TRUE(now.ends_with(" second 2\n")) << now;
  EXPECT_EQ(now.find("not of interest"), std::string::npos);
}

TEST(RocksdbLog, ThatCannotBeWrittenEndsNothing) {
  const TempDir dir;
  test::write_file(dir.path() + "/file", "where a directory should be");
  const auto log = open_rocksdb_log(dir.path() + "/file");
  for (int i = 0; i < 3; ++i) rocksdb::Log(rocksdb::WARN_LEVEL, log, "line %d", i);
}

TEST(RocksdbLog, CutsALineThatIsTooLong) {
  const TempDir dir;
  rocksdb::Log(rocksdb::WARN_LEVEL, open_rocksdb_log(dir.path()), "%s", std::string(10'000, 'x').c_str());
  const std::string text = test::read_file(dir.path() + "/LOG");
  EXPECT_LT(text.size(), 3'000u);
  EXPECT_TRUE(text.ends_with("x\n"));
}

}  // namespace
}  // namespace pqd
