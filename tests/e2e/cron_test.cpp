// Schedules as people use them: pqctl, a real daemon, and the deaths of its processes around a due time.
#include <chrono>
#include <set>
#include <sstream>

#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class CronTest : public WithPqctl {
 protected:
  CronTest() : WithPqctl("[daemon]\nengine_backoff_max = \"10ms\"\n[queue.small]\nmax_depth = 1\n") {}

  // The ids of the jobs of a type, each with the milliseconds in it.
  std::vector<std::string> ids(const std::string& type) {
    std::vector<std::string> list;
    std::istringstream lines(output({"ls", "--type", type, "--limit", "10000", "-o", "jsonl"}));
    for (std::string line; std::getline(lines, line);) {
      const std::string key = "\"requestId\":\"";
      list.push_back(line.substr(line.find(key) + key.size(), 36));
    }
    return list;
  }
  bool comes_to(const std::string& type, size_t count) {
    return eventually([&] { return ids(type).size() >= count; });
  }
};

TEST_F(CronTest, AddsListsShowsAndRemoves) {
  output({"cron", "add", "nightly", "30 2 * * mon-fri", "report", "all", "--tz", "Europe/Berlin", "--queue",
          "web", "--attempts", "7"});
  const std::string table = output({"cron", "ls"});
  for (const char* part : {"nightly", "30 2 * * mon-fri", "Europe/Berlin", "web", "report", "never"})
    EXPECT_TRUE(has(table, part)) << part << " in\n" << table;
  EXPECT_TRUE(has(output({"cron", "ls", "-o", "jsonl"}), "\"nextRunAt\":\"2"));
  EXPECT_EQ(line_count(output({"cron", "next", "nightly", "-n", "3", "-o", "jsonl"})), 3u);
  refused({"cron", "add", "nightly", "@daily", "report"}, 65, {"DUPLICATE_REQUEST", "--replace"});
  output({"cron", "add", "nightly", "@daily", "report", "--replace"});
  EXPECT_TRUE(has(output({"cron", "ls"}), "@daily"));
  output({"cron", "rm", "nightly"});
  refused({"cron", "rm", "nightly"}, 66, {"NOT_FOUND", "nightly"});
  refused({"cron", "next", "nightly"}, 66, {"NOT_FOUND", "pqctl cron ls"});
}

TEST_F(CronTest, ShowsWhenATimeThatNoScheduleHasYetWouldRunInItsZone) {
  for (const char* zone : {"--tz", "--zone"}) {
    const std::string runs = output({"cron", "next", "0 9 * * mon", zone, "Asia/Tokyo", "-o", "jsonl"});
    EXPECT_EQ(line_count(runs), 5u) << runs;
    EXPECT_TRUE(has(first_line(runs), "T00:00:00.000Z") && has(first_line(runs), " 09:00:00 +09:00")) << runs;
    EXPECT_EQ(output({"cron", "next", "--spec", "0 9 * * mon", zone, "Asia/Tokyo", "-o", "jsonl"}), runs);
  }
  EXPECT_TRUE(has(output({"cron", "next", "@daily", "-n", "1", "-o", "jsonl"}), "\"zone\":\"UTC\""));
  output({"cron", "add", "nightly", "30 2 * * *", "report", "--zone", "Asia/Tokyo"});
  EXPECT_TRUE(has(output({"cron", "next", "nightly", "-n", "1"}), "02:30:00 +09:00"));
}

TEST_F(CronTest, MakesJobsThatCanBeWorkedOn) {
  output({"cron", "add", "tick", "@every 1s", "t", "the payload", "--attempts", "7"});
  ASSERT_TRUE(comes_to("t", 2));
  output({"cron", "rm", "tick"});
  EXPECT_TRUE(has(job(ids("t").back()), "\"maxAttempts\":7"));
  Program worker(pqctl_words({"work", "t", "--", "sh", "-c", "cat"}), {daemon_.socket_variable()});
  EXPECT_EQ(output({"wait", ids("t").back()}), "the payload");
}

TEST_F(CronTest, EachRunIsMadeOnceHoweverOftenTheEngineDies) {
  output({"cron", "add", "tick", "@every 1s", "t"});
  for (size_t runs = 1; runs <= 4; ++runs) {
    ASSERT_TRUE(comes_to("t", runs));
    daemon_.kill_engine();  // just behind a due time
    daemon_.kill_engine();
  }
  ASSERT_TRUE(comes_to("t", 6));
  output({"cron", "rm", "tick"});
  const auto list = ids("t");
  const std::set<std::string> distinct(list.begin(), list.end());
  EXPECT_EQ(distinct.size(), list.size());
  // One job a due time: the ids differ in the milliseconds alone, by whole seconds.
  std::set<std::string> names;
  std::set<unsigned long long> seconds;
  for (const std::string& id : list) {
    names.insert(id.substr(14));
    const unsigned long long ms = std::stoull(id.substr(0, 8) + id.substr(9, 4), nullptr, 16);
    EXPECT_EQ(ms % 1'000, 0u) << id;
    EXPECT_TRUE(seconds.insert(ms).second) << id;
  }
  EXPECT_EQ(names.size(), 1u);
}

TEST_F(CronTest, RunsMissedWhileTheDaemonWasDownAreMadeUpForByOne) {
  output({"cron", "add", "tick", "@every 2s", "t"});
  ASSERT_TRUE(comes_to("t", 1));
  daemon_.kill();
  // Until three due times have passed with nobody there.
  const auto enough = std::chrono::system_clock::now() + std::chrono::milliseconds(6'500);
  ASSERT_TRUE(eventually([&] { return std::chrono::system_clock::now() >= enough; }));
  const size_t before = 1;
  ASSERT_TRUE(daemon_.start());
  ASSERT_TRUE(comes_to("t", before + 1));
  output({"cron", "rm", "tick"});
  const size_t after = ids("t").size();
  // One for all that were missed; a regular one may have come since.
  EXPECT_GE(after, before + 1);
  EXPECT_LE(after, before + 2);
}

TEST_F(CronTest, FullQueueKeepsOneRunWaiting) {
  const std::string filler = first_line(output({"submit", "other", "--queue", "small"}));
  output({"cron", "add", "tick", "@every 1s", "t", "--queue", "small"});
  ASSERT_TRUE(eventually([&] { return has(output({"cron", "ls", "-o", "jsonl"}), "\"waiting\":true"); }));
  EXPECT_TRUE(has(output({"cron", "ls"}), "waits"));
  daemon_.kill_engine();
  EXPECT_TRUE(has(output({"cron", "ls", "-o", "jsonl"}), "\"waiting\":true")) << "it waits on";
  EXPECT_TRUE(ids("t").empty());
  output({"cancel", filler});
  EXPECT_EQ(ids("t").size(), 1u);
}

TEST_F(CronTest, RefusesWhatIsWrongBeforeAnythingIsAsked) {
  refused({"cron", "add", "x", "61 * * * *", "t"}, 65, {"INVALID_REQUEST", "minute \"61\"", "0 to 59"});
  refused({"cron", "add", "x", "0 0 30 2 *", "t"}, 65, {"never run"});
  refused({"cron", "add", "x", "@daily", "t", "--tz", "Mars/Olympus"}, 65, {"Mars/Olympus", "tzdata"});
  refused({"cron", "add", "a b", "@daily", "t"}, 65, {"A-Z"});
  refused({"cron", "add", "x", "@daily", "t", "--durability", "memory"}, 65, {"durability"});
  refused({"cron", "add", "x", "@daily", "t", "--delay", "1s"}, 64, {"--delay"});
  refused({"cron", "next"}, 64, {"NAME", "SPEC", "'0 9 * * mon'"});
  refused({"cron", "next", "--spec", "* * *"}, 65, {"five are wanted"});
  refused({"cron", "next", "* * *"}, 65, {"five are wanted"});
  refused({"cron", "next", "night/ly"}, 65, {"five are wanted", "a schedule's name", "A-Z"});
  refused({"cron", "next", "@daily", "--tz", "Mars/Olympus"}, 65, {"Mars/Olympus", "tzdata"});
  refused({"cron", "next", "@daily", "--spec", "@daily"}, 64, {"excludes"});
  refused({"cron", "next", "nightly", "--tz", "Europe/Berlin"}, 64, {"nightly", "zone of its own", "SPEC"});
  EXPECT_EQ(output({"cron", "ls", "-o", "jsonl"}), "");
}

}  // namespace
}  // namespace pqd::test
