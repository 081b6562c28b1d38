// What RocksDB's logs may rely on beyond the file system.
#include "daemon/store/ordered_logs.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <utility>

#include "tests/support/temp_dir.h"

namespace pqd::test {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

// Counts the syncs of each file, and lets one of them fail, as the kernel does: it is told once.
class CountedSyncs final : public rocksdb::FileSystemWrapper {
 public:
  CountedSyncs() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "CountedSyncs"; }
  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) override {
    const IOStatus opened = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (opened.ok()) *file = std::make_unique<File>(*this, path, std::move(*file));
    return opened;
  }

  std::map<std::string, int> syncs;
  bool fail_once = false;

 private:
  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(CountedSyncs& fs, std::string path, std::unique_ptr<rocksdb::FSWritableFile> target)
        : FSWritableFileOwnerWrapper(std::move(target)), fs_(fs), path_(std::move(path)) {}
    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
      ++fs_.syncs[path_];
      if (std::exchange(fs_.fail_once, false)) return IOStatus::IOError("planned");
      return target()->Sync(options, debug);
    }

   private:
    CountedSyncs& fs_;
    const std::string path_;
  };
};

class OrderedLogFiles : public ::testing::Test {
 protected:
  std::unique_ptr<rocksdb::FSWritableFile> begin(const std::string& path) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    EXPECT_TRUE(logs.NewWritableFile(path, {}, &file, nullptr).ok());
    return file;
  }
  static bool append(rocksdb::FSWritableFile& file, std::string_view text) {
    return file.Append(text, IOOptions(), nullptr).ok();
  }

  const TempDir directory;
  const TempDir elsewhere;
  const std::string first = directory.path("000001.log"), second = directory.path("000002.log");
  const std::shared_ptr<CountedSyncs> disk = std::make_shared<CountedSyncs>();
  OrderedLogs logs{disk, directory.path()};
};

TEST_F(OrderedLogFiles, AreSyncedBeforeTheNextIsBegunAlsoAfterACopyOfOneWasMadeElsewhere) {
  const auto log = begin(first);
  ASSERT_TRUE(append(*log, "a record"));
  auto copy = begin(elsewhere.path("000001.log"));
  ASSERT_TRUE(copy->Close(IOOptions(), nullptr).ok());
  copy.reset();
  EXPECT_EQ(disk->syncs[first], 0) << "a copy is no next log";
  const auto next = begin(second);
  EXPECT_EQ(disk->syncs[first], 1);
}

TEST_F(OrderedLogFiles, AreSyncedByNobodyOnceOneSyncHasFailed) {
  const auto log = begin(first);
  ASSERT_TRUE(append(*log, "a record"));
  disk->fail_once = true;
  std::unique_ptr<rocksdb::FSWritableFile> next;
  EXPECT_FALSE(logs.NewWritableFile(second, {}, &next, nullptr).ok());
  EXPECT_FALSE(log->Sync(IOOptions(), nullptr).ok()) << "the kernel has told it already";
  EXPECT_FALSE(log->Fsync(IOOptions(), nullptr).ok());
  EXPECT_EQ(disk->syncs[first], 1);
}

TEST_F(OrderedLogFiles, AreAsLongAsWhatWasAppended) {
  auto log = begin(first);
  const auto bytes = [&] {
    uint64_t size = 0;
    EXPECT_TRUE(logs.GetFileSize(first, IOOptions(), &size, nullptr).ok());
    return size;
  };
  ASSERT_TRUE(append(*log, "a record"));
  ASSERT_GT(std::filesystem::file_size(first), 8u) << "zeros are behind it";
  EXPECT_EQ(bytes(), 8u);
  const auto next = begin(second);
  EXPECT_EQ(bytes(), 8u);
  ASSERT_TRUE(log->Close(IOOptions(), nullptr).ok());
  log.reset();
  EXPECT_EQ(bytes(), 8u);
}

}  // namespace
}  // namespace pqd::test
