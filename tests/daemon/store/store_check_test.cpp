// The check of a whole store: nothing to say of a good one, and every kind of damage by name.
#include "daemon/store/store_check.h"

#include <array>

#include "daemon/store/log_files.h"
#include "tests/daemon/store/damaged_store.h"

namespace pqd::test {
namespace {

class StoreCheckTest : public DamagedStore {
 protected:
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
};

TEST_F(StoreCheckTest, HasNothingToSayOfAGoodOne) {
  const StoreReport report = check_store(path());
  for (const StoreFault& fault : report.faults) ADD_FAILURE() << fault.part << ": " << fault.text;
  EXPECT_TRUE(report.remarks.empty());
  EXPECT_TRUE(report.starts);
  EXPECT_FALSE(report.in_use);
  EXPECT_EQ(report.commits, 40u);
  EXPECT_EQ(report.last_commit, 40u);
  EXPECT_EQ(report.covered, 35u);
  EXPECT_EQ(report.live_jobs, picture_.live.size());
  EXPECT_GT(report.finished_jobs, 0u);
  EXPECT_GT(report.dead_letters, 0u);
  EXPECT_LE(report.dead_letters, dead_letters_);
}

TEST_F(StoreCheckTest, HasNothingToSayOfOneThatAnEarlierPqdWrote) {
  {
    Database database(path());
    for (const char* family : {"done_index", "keys", "metrics"}) database.drop(family);
    database.remove("meta", "done_index");
  }
  const StoreReport report = check_store(path());
  for (const StoreFault& fault : report.faults) ADD_FAILURE() << fault.part << ": " << fault.text;
  EXPECT_TRUE(report.starts);
  EXPECT_EQ(report.keys, 0u);
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
    database.unpack();
    database.put("live", database.first_key("live"), "?");
    database.put("done", database.first_key("done"), "?");
    database.put("keys", database.first_key("keys"), "?");
  }
  EXPECT_TRUE(finds("live", "the row of live job"));
  EXPECT_TRUE(finds("done", "the row of finished job"));
  EXPECT_TRUE(finds("keys", "cannot be read"));
}

TEST_F(StoreCheckTest, FindsPackedRowsThatAreGone) {
  {
    Database database(path());
    database.remove("packed_rows", database.first_key("packed_rows"));
  }
  EXPECT_TRUE(finds("live", "are missing or cannot be read"));
}

TEST_F(StoreCheckTest, FindsPackedRowsWithoutAHead) {
  {
    Database database(path());
    database.remove_all("packs");
  }
  EXPECT_TRUE(finds("live", "have no head"));
}

TEST_F(StoreCheckTest, FindsAHeadOfPackedRowsThatIsNone) {
  {
    Database database(path());
    database.put("packs", database.first_key("packs"), "?");
  }
  EXPECT_TRUE(finds("database", "have a bad head"));
}

TEST_F(StoreCheckTest, FindsAFigureThatIsNone) {
  {
    Database database(path());
    database.put("metrics", database.first_key("metrics"), "?");
  }
  EXPECT_TRUE(finds("figures", "cannot be read"));
}

TEST_F(StoreCheckTest, FindsLiveJobsThatTheJournalDoesNotKnowAndThoseThatAreMissing) {
  std::string key;
  {
    Database database(path());
    database.unpack();
    key = database.first_key("live");
    database.put("live", number_key(123'456), database.get("live", key));
    database.remove("live", key);
  }
  EXPECT_TRUE(finds("live", "job 123456 has a row, and by the journal it does not live"));
  EXPECT_TRUE(finds("live", "lives by the journal, and has no row"));
}

TEST_F(StoreCheckTest, RecoveryRefusesACommitThatGoesOnWithAJobWhoseRowIsGone) {
  {
    Database database(path());
    database.unpack();
    const size_t half = database.count("live") / 2;
    for (size_t i = 0; i < half; ++i) database.remove("live", database.first_key("live"));
  }
  EXPECT_TRUE(finds("recovery", "cannot be replayed: the store is damaged"));
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
  flip_bit(logs.back().path, 500);
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
