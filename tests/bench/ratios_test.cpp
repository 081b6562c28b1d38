// Multiples of others, and what perf's looks are put down to.
#include "tests/bench/ratios.h"

#include <gtest/gtest.h>

#include "tests/bench/engine_profile.h"

namespace pqd::bench {
namespace {

RowResult submits() {
  Comparison comparison{"submits", Tier::kGroupCommit};
  comparison.lines = {
      {"pqd", "", true}, {"disk", ""}, {"slow", ""}, {"fast", "", false, "forgets"}, {"ill", ""}};
  comparison.lines[1].limit = true;
  comparison.lines[4].fault = "not installed";
  const double rates[]{100, 400, 50, 200};
  for (size_t i = 0; i < 4; ++i) comparison.lines[i].add("jobs/s", rates[i]);
  comparison.aims = {{"at least 1000", "100", false}, {"at least 10", "100", true}};
  return {"durable-submit", {comparison}};
}

TEST(Ratios, SayWhereOthersAreBetterAndWhichAimIsMissed) {
  EXPECT_EQ(worse_of({submits()}),
            "durable-submit: submits; group commit\n"
            "  0.50 times the jobs/s of fast, which promises less\n"
            "  missed: at least 1000: 100\n");
}

TEST(Ratios, SayHowFarTheMachinesLimitIs) {
  EXPECT_EQ(limits_of({submits()}),
            "durable-submit: submits; group commit\n"
            "  0.25 times the jobs/s of disk\n");
}

TEST(Ratios, OfLatenciesAreThoseOfPercentilesAndMoreIsWorse) {
  Comparison comparison{"one", Tier::kFsync};
  comparison.lines = {{"pqd", "", true}, {"other", ""}};
  for (Line& line : comparison.lines) line.add("a second", 1), line.latency.emplace();
  comparison.lines[0].latency->add(60);
  comparison.lines[1].latency->add(20);
  const auto ratios = ratios_of(comparison);
  ASSERT_EQ(ratios.size(), 2u);
  EXPECT_EQ(ratios[0].text, "3.00 times the p50 of other");
  EXPECT_TRUE(ratios[0].worse);
}

TEST(Ratios, AreNoneWithoutFiguresOfOurs) {
  Comparison comparison{"none", Tier::kFsync};
  comparison.lines = {{"pqd", "", true, "", {}, {}, "fell over"}, {"other", ""}};
  comparison.lines[1].add("jobs/s", 1);
  EXPECT_TRUE(ratios_of(comparison).empty());
  EXPECT_EQ(worse_of({{"row", {comparison}}}), "");
}

TEST(EngineProfile, PutsLooksDownToThreadsAndParts) {
  const PartCounts counts = count_parts(
      "  11      55d2a7 pqd::Broker::submit(unsigned long, unsigned char) (/usr/lib/libpqd-engine.so)\n"
      "  11      55d2a8 pqd::State::apply(pqd::Submitted const&) (/usr/lib/libpqd-engine.so)\n"
      "  11      7f0001 [unknown] (/usr/lib/x86_64-linux-gnu/libcrypto.so.3)\n"
      "  11      7f0002 something_else (/usr/lib/x86_64-linux-gnu/libm.so.6)\n"
      "  12      55d2a9 pqd::RowFold::fold(unsigned long) (/usr/lib/libpqd-engine.so)\n"
      "  12      7f0003 rocksdb::MemTable::Add(unsigned long) (/usr/lib/librocksdb.so.7.8)\n"
      "  13      ffff81 finish_task_switch ([kernel.kallsyms])\n"
      "  14      7f0004 rocksdb::Block::Next() (/usr/lib/librocksdb.so.7.8)\n"
      "no look at all\n");
  EXPECT_EQ(counts, (PartCounts{{"worker: broker", 1},
                                {"worker: broker's tables", 1},
                                {"worker: SHA-256", 1},
                                {"worker: other", 1},
                                {"checkpointer: rows of the checkpoint", 1},
                                {"checkpointer: RocksDB", 1},
                                {"RocksDB's own: RocksDB", 1},
                                {"other threads: kernel: disk, waking, sleeping", 1}}));
}

}  // namespace
}  // namespace pqd::bench
