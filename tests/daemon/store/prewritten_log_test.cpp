// A log is followed by zeros while appends are small, and the size of the file does not change with each.
#include "daemon/store/prewritten_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "daemon/store/log_files.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {
namespace {

using rocksdb::IOOptions;

constexpr size_t kLineBytes = 400;
constexpr int kLines = 2000;

class NoPlaces final : public rocksdb::FileSystemWrapper {
 public:
  NoPlaces() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "NoPlaces"; }
  rocksdb::IOStatus NewRandomRWFile(const std::string&, const rocksdb::FileOptions&,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>*,
                                    rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NoSpace("no room for zeros");
  }
};

class PrewrittenLogTest : public ::testing::Test {
 protected:
  void begin(rocksdb::FileSystem& file_system) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    ASSERT_TRUE(file_system.NewWritableFile(path, {}, &file, nullptr).ok());
    log = std::make_unique<PrewrittenLog>(file_system, path, std::move(file));
  }
  void append(size_t bytes) {
    text += std::string(bytes, static_cast<char>('a' + text.size() % 26));
    ASSERT_TRUE(log->Append(std::string_view(text).substr(text.size() - bytes), IOOptions(), nullptr).ok());
    ASSERT_TRUE(log->Sync(IOOptions(), nullptr).ok());
  }
  void close() {
    ASSERT_TRUE(log->Close(IOOptions(), nullptr).ok());
    log.reset();
  }
  uint64_t size() const { return std::filesystem::file_size(path); }

  const TempDir directory;
  const std::string path = directory.path("000001.log");
  rocksdb::FileSystem& disk = *rocksdb::FileSystem::Default();
  std::unique_ptr<PrewrittenLog> log;
  std::string text;  // all that was appended
};

TEST_F(PrewrittenLogTest, GrowsOnceForManySmallAppends) {
  begin(disk);
  std::set<uint64_t> sizes;
  for (int line = 0; line < kLines; ++line) {
    append(kLineBytes);
    sizes.insert(size());
  }
  EXPECT_LT(sizes.size(), kLines / 100);
  const std::string bytes = read_file(path);
  EXPECT_TRUE(bytes.starts_with(text));
  EXPECT_EQ(bytes.find_first_not_of('\0', text.size()), std::string::npos);
}

TEST_F(PrewrittenLogTest, EndsWithItsLastAppendOnceItIsClosed) {
  begin(disk);
  for (int line = 0; line < kLines; ++line) append(kLineBytes);
  ASSERT_GT(size(), text.size());
  close();
  EXPECT_EQ(read_file(path), text);
}

TEST_F(PrewrittenLogTest, WritesNoByteOfLargeAppendsTwice) {
  begin(disk);
  for (int commit = 0; commit < 8; ++commit) {
    append(100'000);
    EXPECT_EQ(size(), text.size());
  }
  append(kLineBytes);
  EXPECT_GT(size(), text.size());
  append(1'000'000);  // over the zeros
  EXPECT_EQ(size(), text.size());
  append(kLineBytes);
  close();
  EXPECT_EQ(read_file(path), text);
}

TEST_F(PrewrittenLogTest, IsWrittenAllTheSameWhereThereIsNoRoomForZeros) {
  NoPlaces full;
  begin(full);
  for (int line = 0; line < 10; ++line) {
    append(kLineBytes);
    EXPECT_EQ(size(), text.size());
  }
  close();
  EXPECT_EQ(read_file(path), text);
}

}  // namespace
}  // namespace pqd::test
