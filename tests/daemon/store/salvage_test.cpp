// Stores that pqd refuses, and what is put together from them.
#include "daemon/store/salvage.h"

#include <filesystem>

#include "daemon/store/log_files.h"
#include "daemon/store/recovery.h"
#include "tests/daemon/store/damaged_store.h"

namespace pqd::test {
namespace {

class SalvageTest : public DamagedStore {
 protected:
  using DamagedStore::DamagedStore;

  std::string to() const { return elsewhere_.path("salvaged"); }

  SalvageReport salvage() {
    auto report = salvage_store(path(), to());
    if (!report) ADD_FAILURE() << report.error().text;
    if (report) {
      EXPECT_TRUE(report->after.starts);
      for (const StoreFault& fault : report->after.faults)
        EXPECT_TRUE(fault.part == "journal" || fault.text == "and more" ||
                    fault.text.ends_with("lives by the journal, and has no row"))
            << fault.part << ": " << fault.text;
    }
    return report ? std::move(*report) : SalvageReport();
  }
  // The state that a start from there has is that of the last commit.
  void expect_all_there() {
    const auto store = open_store(to());
    ASSERT_NE(store, nullptr);
    State state;
    const auto recovered = recover(*store, Witness::read(to()).value(), state,
                                   [](uint64_t, ByteView, ByteView) { return true; });
    ASSERT_TRUE(recovered) << recovered.error().text;
    EXPECT_EQ(recovered->last_commit, commits_);
    EXPECT_TRUE(picture_of(state) == picture_);
  }
  static StoreResult<Recovered> recover_all(const std::string& directory) {
    State state;
    return recover(*open_store(directory), std::nullopt, state,
                   [](uint64_t, ByteView, ByteView) { return true; });
  }
  static void expect_nothing_lost(const SalvageReport& report) {
    for (const std::string& lost : report.lost) ADD_FAILURE() << "lost: " << lost;
  }
  static bool names(const SalvageReport& report, const std::string& text) {
    return std::ranges::any_of(report.lost, [&](const std::string& lost) { return lost.find(text) == 0; });
  }
  std::string manifest() const {
    const auto all = manifests(path() + "/db");
    EXPECT_EQ(all.size(), 1u);
    return all.at(0);
  }

  TempDir elsewhere_;
};

TEST_F(SalvageTest, OfAGoodStoreIsTheSameStore) {
  const SalvageReport report = salvage();
  expect_nothing_lost(report);
  EXPECT_FALSE(report.files_listed_anew);
  EXPECT_EQ(report.last_commit, 40u);
  EXPECT_EQ(report.after.dead_letters, check_store(path()).dead_letters);
  EXPECT_EQ(report.after.finished_jobs, check_store(path()).finished_jobs);
  EXPECT_EQ(report.after.keys, check_store(path()).keys);
  EXPECT_TRUE(report.after.faults.empty());
  expect_all_there();
}

TEST_F(SalvageTest, OfOneThatAnEarlierPqdWroteLosesNothing) {
  {
    Database database(path());
    for (const char* family : {"done_index", "keys", "metrics"}) database.drop(family);
    database.remove("meta", "done_index");
  }
  const SalvageReport report = salvage();
  expect_nothing_lost(report);
  EXPECT_FALSE(report.files_listed_anew);
  expect_all_there();
}

TEST_F(SalvageTest, MendsATornManifestAndLosesNothing) {
  settle();
  const std::string file = manifest();
  const std::string bytes = read_file(file);
  // A record torn in its middle, between what is there and what is not: zeros, as a hole reads.
  write_file(file, bytes.substr(0, bytes.size() - 20) + std::string(20, '\0'));
  ASSERT_FALSE(Store::open({.directory = path()})) << "RocksDB takes it by itself";
  const SalvageReport report = salvage();
  EXPECT_TRUE(report.files_listed_anew);
  expect_nothing_lost(report);
  expect_all_there();
}

TEST_F(SalvageTest, MendsAListOfFilesThatIsGone) {
  settle();
  std::filesystem::remove(path() + "/db/CURRENT");
  std::filesystem::remove(manifest());
  const SalvageReport report = salvage();
  EXPECT_TRUE(report.files_listed_anew);
  expect_nothing_lost(report);
  expect_all_there();
}

TEST_F(SalvageTest, MendsAListOfFilesThatIsGoneWhenAllIsInTheLog) {
  std::filesystem::remove(path() + "/db/CURRENT");
  const SalvageReport report = salvage();
  EXPECT_TRUE(report.files_listed_anew);
  expect_nothing_lost(report);
  expect_all_there();
}

TEST_F(SalvageTest, NamesALogThatIsDamagedInItsMiddle) {
  std::filesystem::remove(path() + "/db/CURRENT");
  const auto logs = log_files(path() + "/db");
  ASSERT_EQ(logs.size(), 1u);
  flip_bit(logs[0].path, 500);
  const SalvageReport report = salvage();
  EXPECT_TRUE(names(report, "of the log " + logs[0].path)) << "by its name";
}

// Of many blocks in its table.
class SalvageLongTest : public SalvageTest {
 protected:
  SalvageLongTest() : SalvageTest(400) {}
};

TEST_F(SalvageLongTest, LeavesAHoleInTheHistoryWhereATableCannotBeRead) {
  settle();
  const std::string table = Database(path()).table_of("journal");
  flip_bit(table, 100);
  const SalvageReport report = salvage();
  EXPECT_TRUE(names(report, "of a table: Corruption: ")) << "by its name";
  EXPECT_TRUE(names(report, "journal: everything between its beginning and commit "));
  EXPECT_TRUE(names(report, "history: the commits 1 to "));
  expect_all_there();
}

TEST_F(SalvageTest, GoesBackToTheLastCommitThatFollowsAndSaysWhatWasAcknowledged) {
  Database(path()).remove("journal", number_key(38));
  const SalvageReport report = salvage();
  EXPECT_EQ(report.last_commit, 37u);
  EXPECT_TRUE(names(report, "commit 38 and all behind it"));
  EXPECT_TRUE(names(report, "the commits 38 to 40 at least, which were acknowledged"));
}

TEST_F(SalvageTest, NamesAJobWhoseRowCannotBeRead) {
  std::string key;
  {
    Database database(path());
    database.unpack();
    key = database.first_key("live");
    database.put("live", key, "?");
  }
  const std::string job = "job " + std::to_string(keys::number(as_bytes(key)).value());
  const SalvageReport report = salvage();
  EXPECT_TRUE(names(report, job + ": its row cannot be read"));
  EXPECT_TRUE(names(report, job + " lived, and its row cannot be read"));
  EXPECT_GE(report.last_commit, 35u) << "a commit that goes on with it is the end";
}

TEST_F(SalvageTest, BringsPackedRowsBack) {
  { ASSERT_TRUE(Database(path()).pack_with_piece()); }
  EXPECT_TRUE(salvage().lost.empty());
  expect_all_there();
  // The rows have their records again, so that nothing would ever drop the pieces that they stood in.
  open_store(to()).reset();
  Database database(to());
  EXPECT_EQ(database.count("packs"), 0u);
  const auto first = BlockPieceKey::read(as_bytes(database.first_key("blocks")));
  ASSERT_TRUE(first);
  EXPECT_GT(first->commit, commits_ - 5);
}

TEST_F(SalvageTest, NamesPackedRowsWhoseRecordsAreGone) {
  JobNo job = 0;
  {
    Database database(path());
    const auto pack = database.pack_with_piece();
    ASSERT_TRUE(pack);
    job = pack->first;
    database.remove("blocks", piece_key(pack->second));
  }
  const SalvageReport report = salvage();
  EXPECT_TRUE(
      names(report, "packed rows from job " + std::to_string(job) + " on: their records cannot be read"));
  EXPECT_TRUE(names(report, "job " + std::to_string(job) + " lived, and its row cannot be read"));
}

TEST_F(SalvageTest, NamesPackedRowsThatCannotBeRead) {
  std::string key;
  {
    Database database(path());
    key = database.first_key("packs");
    database.put("packed_rows", key, "?");
  }
  const SalvageReport report = salvage();
  const std::string job = "job " + std::to_string(keys::number(as_bytes(key)).value());
  EXPECT_TRUE(names(report, "packed rows from " + job + " on: they cannot be read"));
  EXPECT_TRUE(names(report, job + " lived, and its row cannot be read"));
}

TEST_F(SalvageTest, NamesPackedRowsWhoseHeadIsGone) {
  JobNo job = 0;
  {
    Database database(path());
    const std::string key = database.first_key("packs");
    job = keys::number(as_bytes(key)).value();
    database.remove("packs", key);
  }
  const SalvageReport report = salvage();
  EXPECT_TRUE(names(report, "packed rows from job " + std::to_string(job) + " on: they have no head"));
  EXPECT_TRUE(names(report, "job " + std::to_string(job) + " lived, and its row cannot be read"));
}

TEST_F(SalvageTest, LeavesFiguresOutThatCannotBeRead) {
  {
    Database database(path());
    database.put("metrics", database.first_key("metrics"), "?");
  }
  EXPECT_TRUE(names(salvage(), "figures of a minute or an hour"));
  expect_all_there();
}

TEST_F(SalvageTest, TakesRowsOfJobsAwayThatHaveEnded) {
  {
    Database database(path());
    database.unpack();
    // Its end was in a checkpoint that is gone.
    auto row = decode_row(as_bytes(database.get("live", database.first_key("live")))).value();
    row.core.no = 999'999;
    const Bytes bytes = encode_row(row);
    database.put("live", number_key(999'999), std::string(as_text(bytes)));
  }
  const SalvageReport report = salvage();
  EXPECT_TRUE(names(report, "job 999999 has ended"));
  expect_all_there();
}

TEST_F(SalvageTest, TakesRowsAwayThatAreOfAnotherTimeThanTheJournal) {
  JobNo job = 0;
  {
    Database database(path());
    database.unpack();
    // A checkpoint that brought it up to date is gone.
    const std::string key = database.first_key("live");
    auto row = decode_row(as_bytes(database.get("live", key))).value();
    job = row.core.no;
    row.core.lease += 1;
    const Bytes bytes = encode_row(row);
    database.put("live", key, std::string(as_text(bytes)));
  }
  const SalvageReport report = salvage();
  EXPECT_TRUE(names(report, "job " + std::to_string(job) + " has gone on"));
}

TEST_F(SalvageTest, CountsTheLaterLifeOfAJobThatHasTwo) {
  JobNo job = 0;
  {
    Database database(path());
    database.unpack();
    auto row = decode_row(as_bytes(database.get("live", database.first_key("live")))).value();
    job = row.core.no;
    row.core.no = 999'999;
    const Bytes bytes = encode_row(row);
    database.put("live", number_key(999'999), std::string(as_text(bytes)));
    database.remove("journal", number_key(1));  // who lives is not known then
  }
  const auto refused = recover_all(path());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("the same id"), std::string::npos) << refused.error().text;
  const SalvageReport report = salvage();
  EXPECT_TRUE(names(report, "job " + std::to_string(job) + " has ended"));
}

TEST_F(SalvageTest, MakesTheIndexOfFinishedJobsAnew) {
  {
    Database database(path());
    database.remove("done_index", database.first_key("done_index"));
  }
  expect_nothing_lost(salvage());
}

TEST_F(SalvageTest, CountsDeadLettersAnew) {
  std::string key;
  {
    Database database(path());
    key = database.first_key("dead_letters");
    database.remove("dead_letters", key);
  }
  EXPECT_TRUE(salvage().after.faults.empty());
}

TEST_F(SalvageTest, RefusesWithoutACheckpointAndLeavesNothingBehind) {
  Database(path()).put("meta", "checkpoint", "?");
  const auto report = salvage_store(path(), to());
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().text.find("restore a backup"), std::string::npos) << report.error().text;
  EXPECT_FALSE(std::filesystem::exists(to()));
}

TEST_F(SalvageTest, RefusesAStoreInUseAndAPlaceThatIsTaken) {
  {
    const auto owner = open_store(path());
    const auto report = salvage_store(path(), to());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Error::kUnavailable);
  }
  std::filesystem::create_directory(to());
  const auto report = salvage_store(path(), to());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Error::kInvalidRequest);
  EXPECT_TRUE(std::filesystem::exists(to())) << "it is not ours";
}

TEST_F(SalvageTest, OnlyReadsTheOldStore) {
  settle();
  std::map<std::string, std::string> before;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path()))
    if (entry.is_regular_file()) before[entry.path()] = read_file(entry.path());
  std::filesystem::rename(path() + "/db/CURRENT", path() + "/db/CURRENT.away");
  salvage();
  std::filesystem::rename(path() + "/db/CURRENT.away", path() + "/db/CURRENT");
  before.erase(path() + "/lock");
  for (const auto& [file, bytes] : before) EXPECT_TRUE(read_file(file) == bytes) << file;
}

}  // namespace
}  // namespace pqd::test
