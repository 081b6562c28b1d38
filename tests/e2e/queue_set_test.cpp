// A queue's settings changed while the daemon runs, over its deaths.
#include "tests/e2e/with_pqctl.h"

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

}  // namespace
}  // namespace pqd::test
