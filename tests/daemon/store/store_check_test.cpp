// The check of a whole store: nothing to say of a good one, and every kind of damage by name.
#include "daemon/store/store_check.h"

#include <algorithm>

#include "daemon/store/done_index.h"
#include "daemon/store/log_files.h"
#include "daemon/store/rocksdb_include.h"
#include "daemon/store/row_fold.h"
#include "daemon/store/tuning.h"
#include "daemon/store/witness.h"
#include "tests/daemon/store/fixtures.h"
#include "tests/daemon/store/workload.h"

namespace pqd::test {
namespace {

class StoreCheckTest : public ::testing::Test {
 protected:
  // A busy daemon's store, closed: forty commits, most of them under a checkpoint.
  void SetUp() override {
    const auto store = open_store(path());
    auto witness = Witness::open(path()).value();
    Workload work(*store, 7);
    RowFold fold(*store, {}, 0);
    for (int i = 1; i <= 40; ++i) {
      const Commit commit = work.commit();
      ASSERT_TRUE(store->append(commit.number, *commit.entry, *commit.block_bytes));
      ASSERT_TRUE(fold.fold(commit.number, *commit.entry, *commit.block_bytes));
      if (i == 35) {
        ASSERT_TRUE(store->checkpoint(fold.take()));
      }
    }
    ASSERT_TRUE(store->sync(40));
    ASSERT_TRUE(witness.record({work.last_number(), work.last_hash()}));
    live_jobs_ = picture_of(work.state()).live.size();
    dead_letters_ = work.dead_letters().size();
  }

  const std::string& path() const { return directory_.path(); }

  // Changes the database behind the store's back: put(family, key, value), without one it is deleted.
  class Database {
   public:
    explicit Database(const std::string& directory) {
      rocksdb::DB* db = nullptr;
      const auto status =
          rocksdb::DB::Open(rocksdb::DBOptions(), directory + "/db",
                            families(std::make_shared<CheckpointClock>(0), 1), &handles_, &db);
      EXPECT_TRUE(status.ok()) << status.ToString();
      db_.reset(db);
    }
    ~Database() {
      for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
      db_->Close();
    }
    void put(const std::string& family, const std::string& key, const std::string& value) {
      EXPECT_TRUE(db_->Put({}, handle(family), key, value).ok());
    }
    void remove(const std::string& family, const std::string& key) {
      EXPECT_TRUE(db_->Delete({}, handle(family), key).ok());
    }
    std::string get(const std::string& family, const std::string& key) {
      std::string value;
      EXPECT_TRUE(db_->Get({}, handle(family), key, &value).ok());
      return value;
    }
    std::string first_key(const std::string& family) {
      const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, handle(family)));
      it->SeekToFirst();
      EXPECT_TRUE(it->Valid()) << family << " is empty";
      return it->Valid() ? it->key().ToString() : std::string();
    }

   private:
    rocksdb::ColumnFamilyHandle* handle(const std::string& family) {
      const auto found = std::ranges::find(handles_, family, &rocksdb::ColumnFamilyHandle::GetName);
      return *found;
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    std::unique_ptr<rocksdb::DB> db_;
  };

  // The check has a fault of this part that says this.
  ::testing::AssertionResult finds(const std::string& part, const std::string& text) {
    const StoreReport report = check_store(path());
    std::string all;
    for (const StoreFault& fault : report.faults) {
      if (fault.part == part && fault.text.find(text) != std::string::npos)
        return ::testing::AssertionSuccess();
      all += fault.part + ": " + fault.text + "\n";
    }
    return ::testing::AssertionFailure() << (all.empty() ? "nothing was found" : all);
  }

  TempDir directory_;
  uint64_t live_jobs_ = 0;
  uint64_t dead_letters_ = 0;
};

std::string number_key(uint64_t number) {
  const auto key = keys::of(number);
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

TEST_F(StoreCheckTest, HasNothingToSayOfAGoodOne) {
  const StoreReport report = check_store(path());
  for (const StoreFault& fault : report.faults) ADD_FAILURE() << fault.part << ": " << fault.text;
  EXPECT_TRUE(report.remarks.empty());
  EXPECT_TRUE(report.starts);
  EXPECT_FALSE(report.in_use);
  EXPECT_EQ(report.commits, 40u);
  EXPECT_EQ(report.last_commit, 40u);
  EXPECT_EQ(report.covered, 35u);
  EXPECT_EQ(report.live_jobs, live_jobs_);
  EXPECT_GT(report.finished_jobs, 0u);
  EXPECT_GT(report.dead_letters, 0u);
  EXPECT_LE(report.dead_letters, dead_letters_);
}

TEST_F(StoreCheckTest, LooksBesideItsOwner) {
  const auto owner = open_store(path());
  const StoreReport report = check_store(path());
  EXPECT_TRUE(report.in_use);
  EXPECT_TRUE(report.faults.empty()) << report.faults[0].text;
  EXPECT_TRUE(report.starts);
}

TEST_F(StoreCheckTest, SaysThatThereIsNoStore) {
  TempDir empty;
  const StoreReport report = check_store(empty.path());
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_EQ(report.faults[0].part, "format");
  EXPECT_EQ(report.faults[0].text, "there is no store in " + empty.path());
}

TEST_F(StoreCheckTest, FindsACommitThatIsMissing) {
  Database(path()).remove("journal", number_key(12));
  EXPECT_TRUE(finds("journal", "the commits 12 to 12 are missing"));
  EXPECT_TRUE(check_store(path()).starts) << "it is under the checkpoint, but the history has a hole";
}

TEST_F(StoreCheckTest, FindsACommitThatIsAnother) {
  Database(path()).put("journal", number_key(12), "nonsense");
  EXPECT_TRUE(finds("journal", "commit 12: "));
}

TEST_F(StoreCheckTest, FindsABlockThatRecoveryNeeds) {
  Database(path()).remove("blocks", number_key(38));
  EXPECT_TRUE(finds("journal", "commit 38: its block is missing"));
  EXPECT_TRUE(finds("recovery", "commit 38: its block is missing"));
  EXPECT_FALSE(check_store(path()).starts);
}

TEST_F(StoreCheckTest, FindsTheEndThatTheWitnessKnowsOf) {
  Database(path()).remove("journal", number_key(40));
  EXPECT_TRUE(finds("recovery", "the journal ends at commit 39, but commit 40 was acknowledged"));
}

TEST_F(StoreCheckTest, FindsRowsThatCannotBeRead) {
  {
    Database database(path());
    database.put("live", database.first_key("live"), "?");
    database.put("done", database.first_key("done"), "?");
    database.put("keys", database.first_key("keys"), "?");
  }
  EXPECT_TRUE(finds("live", "the row of live job"));
  EXPECT_TRUE(finds("done", "the row of finished job"));
  EXPECT_TRUE(finds("keys", "cannot be read"));
}

TEST_F(StoreCheckTest, FindsLiveJobsThatTheJournalDoesNotKnowAndThoseThatAreMissing) {
  std::string key;
  {
    Database database(path());
    key = database.first_key("live");
    database.put("live", number_key(123'456), database.get("live", key));
    database.remove("live", key);
  }
  EXPECT_TRUE(finds("live", "job 123456 has a row, and by the journal it does not live"));
  EXPECT_TRUE(finds("live", "lives by the journal, and has no row"));
}

TEST_F(StoreCheckTest, FindsAnIndexThatDoesNotAgree) {
  {
    Database database(path());
    database.remove("done_index", database.first_key("done_index"));
  }
  EXPECT_TRUE(finds("index", "finished jobs, there are"));
}

TEST_F(StoreCheckTest, FindsDeadLettersThatAreNotCounted) {
  {
    Database database(path());
    database.remove("dead_letters", database.first_key("dead_letters"));
  }
  EXPECT_TRUE(finds("dead letters", "its count says"));
}

TEST_F(StoreCheckTest, NamesALogAndThePlaceInIt) {
  const auto logs = log_files(path() + "/db");
  ASSERT_FALSE(logs.empty());
  std::string bytes = read_file(logs.back().path);
  ASSERT_GT(bytes.size(), 1000u);
  bytes[500] = static_cast<char>(bytes[500] ^ 4);
  write_file(logs.back().path, bytes);
  EXPECT_TRUE(finds("log", logs.back().path + ": what stands at byte "));
}

TEST_F(StoreCheckTest, RemarksOnAnEndThatACrashMayLeave) {
  const auto logs = log_files(path() + "/db");
  ASSERT_FALSE(logs.empty());
  write_file(logs.back().path, read_file(logs.back().path) + "torn");
  const StoreReport report = check_store(path());
  EXPECT_TRUE(report.faults.empty()) << report.faults[0].text;
  ASSERT_EQ(report.remarks.size(), 1u);
  EXPECT_NE(report.remarks[0].find(logs.back().path), std::string::npos);
}

TEST(Crc32c, IsThatOfTheStandard) {
  // RFC 3720, B.4: 32 zeros, 32 ones, and 0..31.
  std::array<unsigned char, 32> bytes{};
  EXPECT_EQ(crc32c(bytes.data(), bytes.size()), 0x8a9136aau);
  bytes.fill(0xff);
  EXPECT_EQ(crc32c(bytes.data(), bytes.size()), 0x62a8ab43u);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i);
  EXPECT_EQ(crc32c(bytes.data(), bytes.size()), 0x46dd794eu);
}

}  // namespace
}  // namespace pqd::test
