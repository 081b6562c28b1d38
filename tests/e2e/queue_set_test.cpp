// A queue's settings changed while the daemon runs, over its deaths.
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class QueueSet : public WithPqctl {
 protected:
  QueueSet() : WithPqctl("[queue.mail]\nmax_active = 3\nmax_attempts = 4\n") {}

  std::string show() { return output({"queue", "show", "mail", "-o", "jsonl"}); }
};

TEST_F(QueueSet, HoldsOverDeathsUntilItIsReset) {
  output({"queue", "set", "mail", "max_active=50", "queue_timeout=5m", "fair=user"});
  for (int death = 0; death < 3; ++death) {
    if (death == 1) daemon_.kill_engine();
    if (death == 2) {
      daemon_.kill();
      ASSERT_TRUE(daemon_.start());
    }
    const std::string shown = show();
    for (const char* part : {"\"maxActive\":50", "\"queueTimeoutMs\":300000", "\"fair\":\"user\"",
                             "\"maxAttempts\":4", "\"setAtRunTime\""})
      EXPECT_TRUE(has(shown, part)) << part << " in " << shown;
  }
  const std::string sheet = output({"queue", "show", "mail"});
  EXPECT_TRUE(has(sheet, "set at run time") && has(sheet, "max_active = 50")) << sheet;
  output({"queue", "set", "mail", "--reset"});
  EXPECT_TRUE(has(show(), "\"maxActive\":3,")) << show();
  EXPECT_FALSE(has(show(), "setAtRunTime")) << show();
}

TEST_F(QueueSet, SaysWhatIsWrongBeforeAnythingChanges) {
  const std::string before = show();
  refused({"queue", "set", "mail", "max_active=9", "max_attempts=0"}, 65, {"max_attempts", "from 1"});
  refused({"queue", "set", "mail", "backoff=2h"}, 65, {"backoff_cap"});
  for (const char* verb : {"pause", "resume", "drain", "show"})
    refused({"queue", verb, "mial"}, 66, {"NOT_FOUND", "did you mean mail?"});
  refused({"queue", "set", "mial", "max_active=9"}, 66, {"did you mean mail?"});
  refused({"queue", "set", "mial", "--reset"}, 66, {"did you mean mail?"});
  EXPECT_EQ(show(), before);
}

// As its words have it.
TEST_F(QueueSet, SaysHowAQueueThatNobodyHasUsedYetIsMade) {
  for (const char* verb : {"pause", "resume", "drain", "show"})
    refused({"queue", verb, "news"}, 66, {"first job, consumer or schedule", "[queue.news]", "restart"});
  refused({"queue", "set", "news", "max_active=9"}, 66, {"first job, consumer or schedule", "[queue.news]"});
  refused({"queue", "set", "news.bulk", "--reset"}, 66, {"[queue.\"news.bulk\"]"});
  Program worker(pqctl_words({"work", "t", "--queue", "consumed", "--", "cat"}), {daemon_.socket_variable()});
  EXPECT_TRUE(eventually([&] { return has_queue("consumed"); })) << worker.err();
  output({"submit", "t", "--queue", "submitted"});
  output({"cron", "add", "yearly", "@yearly", "t", "--queue", "scheduled"});
  for (const char* queue : {"consumed", "submitted", "scheduled"})
    output({"queue", "set", queue, "max_active=9"});
}

}  // namespace
}  // namespace pqd::test
