// A power cut may take what was not synced from the beginning of a record to the end of its block, and leave
// the next block: RocksDB reads on over the zeros, and the journal has a gap.
#include <fstream>

#include "daemon/store/log_files.h"
#include "daemon/store/recovery.h"
#include "daemon/store/store_check.h"
#include "tests/daemon/store/expectations.h"

namespace pqd::test {
namespace {

constexpr size_t kBlockBytes = 32 << 10;
constexpr size_t kHeadBytes = 7;  // of a record that lies in one block

// Up to the end of the last record; zeros may follow.
uint64_t bytes_written(const std::string& log) {
  uint64_t bytes = 0;
  for_each_log_record(log, [&](std::string_view record) { bytes += kHeadBytes + record.size(); });
  return bytes;
}

class LogGapTest : public ::testing::Test {
 protected:
  LogGapTest() : store_(open_store(path())), work_(*store_, 11) {}

  const std::string& path() const { return dir_.path(); }
  std::string log() const { return log_files(path() + "/db").back().path; }

  void commit() {
    if (store_->last_commit() + 1 == from_) gap_begins_ = bytes_written(log());
    commit_to(*store_, work_);
    pictures_.push_back(picture_of(work_.state()));
    hashes_.push_back(work_.last_hash());
    if (store_->last_commit() == to_) gap_ends_ = bytes_written(log());
  }
  void commit_up_to(uint64_t last) {
    while (store_->last_commit() < last) commit();
  }

  // Closes the store, takes the commits `from_` to `to_` away, and opens it again.
  void cut_power() {
    store_.reset();
    const std::string file = log();
    std::string bytes = read_file(file);
    ASSERT_LT(bytes.size(), kBlockBytes) << "records that cross blocks cannot be moved to another one";
    ASSERT_LT(gap_begins_, gap_ends_);
    const std::string behind = bytes.substr(gap_ends_);
    bytes.resize(gap_begins_);
    bytes.resize(kBlockBytes, '\0');
    std::ofstream(file, std::ios::binary) << bytes << behind;
  }
  void open_again() {
    store_.reset();
    store_ = open_store(path());
  }

  StoreResult<Recovered> recover_now(State& state) {
    return recover(*store_, Witness::open(path()).value(), state,
                   [](uint64_t, ByteView, ByteView) { return true; });
  }
  std::string refusal() {
    State state;
    const auto recovered = recover_now(state);
    return recovered ? "none: it ends at commit " + std::to_string(recovered->last_commit)
                     : recovered.error().text;
  }
  void expect_it_ends_at(uint64_t last) {
    State state;
    const auto recovered = recover_now(state);
    ASSERT_TRUE(recovered) << recovered.error().text;
    EXPECT_EQ(recovered->last_commit, last);
    EXPECT_EQ(recovered->last_hash, hashes_[last - 1]);
    EXPECT_TRUE(picture_of(state) == pictures_[last - 1]);
    ASSERT_TRUE(store_->go_on_after(last));
    EXPECT_EQ(store_->last_commit(), last);
  }

  const TempDir dir_;
  std::unique_ptr<Store> store_;
  Workload work_;
  uint64_t from_ = 0, to_ = 0;  // what is going to be lost
  uint64_t gap_begins_ = 0, gap_ends_ = 0;
  std::vector<Picture> pictures_;
  std::vector<ChainHash> hashes_;
};

TEST_F(LogGapTest, EndsTheHistoryAndWhatIsBehindItIsRemoved) {
  from_ = 5, to_ = 6;
  commit_up_to(8);
  cut_power();
  open_again();
  ASSERT_EQ(store_->last_commit(), 8u) << "the log has no gap that RocksDB reads on over";
  State state;
  EXPECT_EQ(recover_now(state)->first_stray, 7u);
  expect_it_ends_at(4);
  const Bytes next = bytes_of(5, 100);
  ASSERT_TRUE(store_->append(5, next, next));
  uint64_t last = 0;
  ASSERT_TRUE(store_->for_each_commit(4, [&](uint64_t number, ByteView, ByteView) { return last = number; }));
  EXPECT_EQ(last, 5u);
}

TEST_F(LogGapTest, IsFoundAgainWhenAStartEndsBeforeItRemovedAnything) {
  from_ = 5, to_ = 5;
  commit_up_to(7);
  cut_power();
  open_again();
  open_again();  // what was read from the log is in tables by now
  expect_it_ends_at(4);
  open_again();
  State state;
  EXPECT_EQ(recover_now(state)->first_stray, 0u);
  expect_it_ends_at(4);
}

TEST_F(LogGapTest, IsRefusedWhenTheWitnessKnowsALaterCommit) {
  from_ = 5, to_ = 6;
  commit_up_to(8);
  cut_power();
  open_again();
  ASSERT_TRUE(Witness::open(path()).value().record({5, hashes_[4]}));
  EXPECT_NE(refusal().find("commit 7 does not follow commit 4"), std::string::npos) << refusal();
}

TEST_F(LogGapTest, IsRefusedWhenTheNextSyncSaysThatALaterCommitWasSynced) {
  from_ = 5, to_ = 6;
  commit_up_to(6);
  ASSERT_TRUE(store_->sync(6));
  commit_up_to(8);
  ASSERT_TRUE(store_->sync(8));
  cut_power();
  open_again();
  EXPECT_NE(refusal().find("commit 7 does not follow commit 4"), std::string::npos) << refusal();
}

TEST_F(LogGapTest, IsNoDamageWhenTheSyncOfWhatItTookDidNotEnd) {
  from_ = 5, to_ = 6;
  commit_up_to(4);
  ASSERT_TRUE(store_->sync(4));
  commit_up_to(8);
  ASSERT_TRUE(store_->sync(8));
  cut_power();
  open_again();
  expect_it_ends_at(4);
}

TEST_F(LogGapTest, IsNoFaultForTheCheckOfAStoreThatWouldStart) {
  from_ = 5, to_ = 6;
  commit_up_to(8);
  cut_power();
  const StoreReport report = check_store(path());
  for (const StoreFault& fault : report.faults) ADD_FAILURE() << fault.part << ": " << fault.text;
  EXPECT_TRUE(report.starts);
  EXPECT_EQ(report.last_commit, 4u);
  ASSERT_EQ(report.remarks.size(), 1u);
  EXPECT_NE(report.remarks[0].find("gap behind commit 4"), std::string::npos) << report.remarks[0];
  ASSERT_TRUE(Witness::open(path()).value().record({6, hashes_[5]}));
  EXPECT_FALSE(check_store(path()).starts);
  EXPECT_FALSE(check_store(path()).faults.empty());
}

TEST(LogFiles, AreInTheOrderOfTheirNumbersHoweverLong) {
  const TempDir directory;
  for (const char* name : {"1000000.log", "999999.log", "000007.log"}) write_file(directory.path(name), "x");
  const auto logs = log_files(directory.path());
  ASSERT_EQ(logs.size(), 3u);
  EXPECT_TRUE(logs[0].path.ends_with("000007.log"));
  EXPECT_TRUE(logs[2].path.ends_with("1000000.log"));
  EXPECT_TRUE(logs[2].last);
}

}  // namespace
}  // namespace pqd::test
