// Power is cut at every point of a store's life, and each disk that it may leave is opened by the real
// recovery.
#include <gtest/gtest.h>

#include <map>

#include "tests/crash/power_cuts.h"

namespace pqd::test {
namespace {

class PowerCuts : public ::testing::TestWithParam<uint64_t> {};

TEST_P(PowerCuts, LoseNothingThatWasAcknowledged) {
  const PowerCutReport report =
      cut_power_everywhere({.life = {.seed = GetParam(), .commits = 200, .syncs_beside = GetParam() % 2 == 0},
                            .images = 1,
                            .points = 60});
  EXPECT_EQ(report.failed, 0u) << report.first_failure;
  EXPECT_GT(report.images, 100u);
  EXPECT_LE(report.refused, report.images / 50);
  EXPECT_GT(report.tables_written, 2u) << "the life was too short to see a table written";
}
INSTANTIATE_TEST_SUITE_P(Seeds, PowerCuts, ::testing::Range<uint64_t>(1, 4));

// Or RocksDB reads on over a gap between two logs.
TEST(OrderedLogsTest, LogIsOnTheDiskBeforeTheNextIsBegun) {
  const auto life = record_life({.seed = 2, .commits = 200});
  std::map<InodeNo, std::string> logs;
  std::map<std::string, DiskOp::Kind> last;  // what was done last to each log
  std::string latest;
  size_t begun = 0;
  for (const DiskOp& op : life->log.ops()) {
    if (op.kind == DiskOp::Kind::kCreate && op.name.ends_with(".log")) {
      if (!latest.empty() && last.contains(latest)) {
        ++begun;
        EXPECT_EQ(last[latest], DiskOp::Kind::kSync) << latest << " before " << op.name;
      }
      logs[op.inode] = latest = op.name;
    } else if (op.kind == DiskOp::Kind::kWrite || op.kind == DiskOp::Kind::kSync) {
      if (const auto log = logs.find(op.inode); log != logs.end()) last[log->second] = op.kind;
    }
  }
  EXPECT_GT(begun, 3u);
}

// Or one could outlast another, a commit that it covers, or rows that went in ahead of it, and nobody would
// miss them.
TEST(CheckpointOrder, AllThatOneStandsOnIsOnTheDiskBeforeItsRecord) {
  const auto life = record_life({.seed = 5, .commits = 200});
  ASSERT_GT(life->checkpoints.size(), 15u);
  const auto& ops = life->log.ops();
  size_t nothing_to_sync = 0, ahead = 0;
  for (const auto& checkpoint : life->checkpoints) {
    InodeNo log = 0;     // the latest; those before it are synced, see above, and may be once more
    bool synced = true;  // when the checkpoint begins
    std::string within;  // W a write to the log, S a sync
    for (size_t i = 0; i < checkpoint.to; ++i) {
      const DiskOp& op = ops[i];
      if (op.kind == DiskOp::Kind::kCreate && op.name.ends_with(".log")) log = op.inode;
      const bool sync = op.kind == DiskOp::Kind::kSync;
      if (log == 0 || op.inode != log || (!sync && op.kind != DiskOp::Kind::kWrite)) continue;
      if (i < checkpoint.from)
        synced = sync;
      else
        within += sync ? 'S' : 'W';
    }
    SCOPED_TRACE(within + ", changes " + std::to_string(checkpoint.from) + " to " +
                 std::to_string(checkpoint.to));
    EXPECT_TRUE(within.ends_with('W'));
    EXPECT_TRUE(synced || within.starts_with('S'));
    EXPECT_TRUE(!checkpoint.rows_ahead || within.find("WS") != std::string::npos);
    nothing_to_sync += synced;
    ahead += checkpoint.rows_ahead;
  }
  EXPECT_LT(nothing_to_sync, life->checkpoints.size()) << "none of them had to sync anything";
  EXPECT_GT(ahead, 0u) << "no rows went in ahead";
}

// The rig must see what it is there for.
TEST(PowerCutCanary, AcknowledgementBeforeTheSyncIsFound) {
  const auto report = cut_power_everywhere(
      {.life = {.seed = 1, .commits = 60, .tell_before_sync = true}, .images = 1, .points = 60});
  EXPECT_NE(report.first_failure.find("was acknowledged"), std::string::npos) << report.first_failure;
}

TEST(PowerCutCanary, ForgottenDirectorySyncIsFound) {
  const auto report = cut_power_everywhere(
      {.life = {.seed = 1, .commits = 60, .forget_directory_syncs = true}, .images = 1, .points = 60});
  EXPECT_GT(report.failed, 0u);
}

}  // namespace
}  // namespace pqd::test
