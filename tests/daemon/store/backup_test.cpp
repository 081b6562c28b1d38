// Copies of a store in use, taken to where they are kept.
#include "daemon/store/backup.h"

#include <filesystem>

#include "daemon/store/log_files.h"
#include "daemon/store/recovery.h"
#include "daemon/store/table_files.h"
#include "tests/daemon/store/damaged_store.h"

namespace pqd::test {
namespace {

class BackupTest : public DamagedStore {
 protected:
  std::string to() const { return elsewhere_.path("kept"); }
  static std::optional<Picture> picture(const std::string& directory) {
    const auto store = open_store(directory);
    State state;
    if (!store || !recover(*store, Witness::read(directory).value(), state,
                           [](uint64_t, ByteView, ByteView) { return true; }))
      return std::nullopt;
    return picture_of(state);
  }
  TempDir elsewhere_;
};

TEST_F(BackupTest, IsTheStoreAsItStoodWhileItsOwnerGoesOn) {
  const auto owner = open_store(path());
  const auto copy = owner->database().copy_beside();
  ASSERT_TRUE(copy) << copy.error().text;
  EXPECT_EQ(*copy, path() + "/backup");
  ASSERT_TRUE(owner->append(41, Bytes(100), Bytes(100)));
  const auto report = take_backup(*copy, to());
  ASSERT_TRUE(report) << report.error().text;
  EXPECT_EQ(report->last_commit, 40u);
  EXPECT_TRUE(report->faults.empty());
  EXPECT_FALSE(std::filesystem::exists(*copy)) << "its links would hold tables on the disk";
  const auto restored = picture(to());
  ASSERT_TRUE(restored);
  EXPECT_TRUE(*restored == picture_);
}

// Zeros that stand behind it while it is written would be filled as they are copied.
TEST_F(BackupTest, EndsItsLogWithTheLastRecordAndNotWithZeros) {
  const auto owner = open_store(path());
  ASSERT_TRUE(owner->append(41, Bytes(100), Bytes(100)));
  const std::string written = log_files(path() + "/db").back().path;
  ASSERT_EQ(read_file(written).back(), '\0') << "no zeros behind it: nothing is tested";
  const std::string copy = owner->database().copy_beside().value();
  const std::string bytes = read_file(log_files(copy + "/db").back().path);
  ASSERT_FALSE(bytes.empty());
  EXPECT_EQ(bytes, read_file(written).substr(0, bytes.size()));
  EXPECT_LT(bytes.size(), std::filesystem::file_size(written));
  EXPECT_EQ(read_file(written).find_first_not_of('\0', bytes.size()), std::string::npos);
}

TEST_F(BackupTest, HasAWitnessOfItsOwn) {
  const auto owner = open_store(path());
  ASSERT_TRUE(take_backup(owner->database().copy_beside().value(), to()));
  const auto testimony = Witness::read(to()).value();
  ASSERT_TRUE(testimony);
  EXPECT_EQ(testimony->commit, 40u);
}

TEST_F(BackupTest, OfACopyThatIsDamagedIsRefusedAndNotThere) {
  settle();
  const auto owner = open_store(path());
  const std::string copy = owner->database().copy_beside().value();
  const auto tables = table_files(copy + "/db");
  ASSERT_FALSE(tables.empty());
  std::string bytes = read_file(tables[0].path);
  bytes[10] = static_cast<char>(bytes[10] ^ 1);
  std::filesystem::remove(tables[0].path);  // it is a link to the store's own
  write_file(tables[0].path, bytes);
  const auto report = take_backup(copy, to());
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().text.find(".sst"), std::string::npos) << report.error().text;
  EXPECT_FALSE(std::filesystem::exists(to()));
}

TEST_F(BackupTest, DoesNotTakeTheNameOfWhatIsThere) {
  const auto owner = open_store(path());
  std::filesystem::create_directory(to());
  const auto report = take_backup(owner->database().copy_beside().value(), to());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Error::kInvalidRequest);
  EXPECT_TRUE(std::filesystem::is_empty(to()));
  EXPECT_FALSE(std::filesystem::exists(path() + "/backup"));
}

TEST_F(BackupTest, IsMadeByOneAtATime) {
  auto lock = lock_backup(path());
  ASSERT_TRUE(lock);
  const auto second = lock_backup(path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Error::kUnavailable);
  lock->reset();
  EXPECT_TRUE(lock_backup(path()));
}

TEST_F(BackupTest, CopyTakesThePlaceOfOneThatWasLeft) {
  const auto owner = open_store(path());
  ASSERT_TRUE(owner->database().copy_beside());
  ASSERT_TRUE(owner->database().copy_beside());
  ASSERT_TRUE(pqd::Database::remove_copy(path()));
  EXPECT_FALSE(std::filesystem::exists(path() + "/backup"));
}

}  // namespace
}  // namespace pqd::test
