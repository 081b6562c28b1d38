// PQD_TABLE__KEY=value over the file.
#include <gtest/gtest.h>

#include "tests/daemon/config/fixtures.h"

namespace pqd {
namespace {

TEST(ConfigEnvironment, WinsOverTheFile) {
  const Config config =
      good("[daemon]\nsessions_max = 5\nlog_level = \"warn\"\n", {"PQD_DAEMON__SESSIONS_MAX=6"});
  EXPECT_EQ(config.daemon.sessions_max, 6u);
  EXPECT_EQ(config.daemon.log_level, "warn");
}

TEST(ConfigEnvironment, ReachesEveryTableInEveryForm) {
  const Config config =
      good("", {"PQD_DAEMON__STATE_DIR=/srv/x", "PQD_DAEMON__EVENT_LOOP=io_uring", "PQD_QUEUES__STRICT=true",
                "PQD_QUEUES__DEFAULTS__MAX_DEPTH=7", "PQD_QUEUES__DEFAULTS__QUEUE_TIMEOUT=0",
                "PQD_QUEUES__DEFAULTS__MAX_BYTES=2GiB", "PQD_STORE__RESERVED_BYTES=1000",
                "PQD_STORE__CHECKPOINT_INTERVAL=2s"});
  EXPECT_EQ(config.daemon.state_dir, "/srv/x");
  EXPECT_EQ(config.daemon.event_loop, BackendChoice::kUring);
  EXPECT_TRUE(config.queues.strict);
  EXPECT_EQ(config.queues.defaults.max_depth, 7u);
  EXPECT_EQ(config.queues.defaults.queue_timeout_ms, 0u);
  EXPECT_EQ(config.queues.defaults.max_bytes, 2ull << 30);
  EXPECT_EQ(config.store, (StoreConfig{.reserved_bytes = 1'000, .checkpoint_interval_ms = 2'000}));
}

TEST(ConfigEnvironment, ChangesAQueueOrAddsOne) {
  const Config config =
      good("[queue.mail]\nmax_active = 3\n", {"PQD_QUEUE__MAIL__MAX_DEPTH=5", "PQD_QUEUE__WEB__MAX_DEPTH=6"});
  EXPECT_EQ(config.queues.named.at("mail").max_depth, 5u);
  EXPECT_EQ(config.queues.named.at("mail").max_active, 3u);
  EXPECT_EQ(config.queues.named.at("web").max_depth, 6u);
}

TEST(ConfigEnvironment, FindsAQueueWhoseNameAVariableCannotSpell) {
  const Config config = good("[queue.\"Mail.out-1\"]\n[queue.a__b]\n",
                             {"PQD_QUEUE__MAIL_OUT_1__MAX_DEPTH=5", "PQD_QUEUE__A__B__MAX_DEPTH=6"});
  EXPECT_EQ(config.queues.named.at("Mail.out-1").max_depth, 5u);
  EXPECT_EQ(config.queues.named.at("a__b").max_depth, 6u);
  EXPECT_EQ(config.queues.named.size(), 2u);
}

TEST(ConfigEnvironment, DoesNotGuessBetweenTwoQueues) {
  EXPECT_EQ(bad("[queue.a-b]\n[queue.a_b]\n", {"PQD_QUEUE__A_B__MAX_DEPTH=5"}),
            "environment PQD_QUEUE__A_B__MAX_DEPTH: which queue is meant, a-b or a_b? Set it in the file\n");
}

TEST(ConfigEnvironment, GivesTheDefaultsThatQueuesInherit) {
  const Config config = good("[queue.mail]\nmax_active = 3\n", {"PQD_QUEUES__DEFAULTS__MAX_ATTEMPTS=8"});
  EXPECT_EQ(config.queues.named.at("mail").max_attempts, 8u);
}

TEST(ConfigEnvironment, LeavesOtherVariablesAlone) {
  EXPECT_EQ(
      good("", {"PQD_SOCKET=/x", "PQD_JOB_ID=1", "HOME=/root", "XPQD_DAEMON__SOCKET=/y", "PQD_", "PQD_A__B"}),
      Config());
}

TEST(ConfigEnvironment, NamesTheVariableThatIsWrong) {
  EXPECT_EQ(bad("", {"PQD_DAEMON__SOKET=/x"}),
            "environment PQD_DAEMON__SOKET: there is no setting soket in [daemon] (did you mean socket?)\n");
  EXPECT_EQ(bad("", {"PQD_DEAMON__SOCKET=/x"}),
            "environment PQD_DEAMON__SOCKET: there is no table [deamon] (did you mean daemon?)\n");
  EXPECT_EQ(
      bad("", {"PQD_DAEMON__SESSIONS_MAX="}),
      "environment PQD_DAEMON__SESSIONS_MAX: sessions_max is a whole number from 1 to 100000, not \"\"\n");
  EXPECT_EQ(bad("", {"PQD_QUEUES__STRICT=yes"}),
            "environment PQD_QUEUES__STRICT: strict is true or false, not \"yes\"\n");
  EXPECT_EQ(bad("", {"PQD_QUEUE__MAX_DEPTH=1"}),
            "environment PQD_QUEUE__MAX_DEPTH: the name of a queue is missing: PQD_QUEUE__NAME__KEY\n");
  EXPECT_EQ(bad("", {"PQD_QUEUE__A/B__MAX_DEPTH=1"}),
            "environment PQD_QUEUE__A/B__MAX_DEPTH: \"a/b\" is no name for a queue: 1 to 64 of A-Z a-z 0-9 . "
            "_ : -\n");
  EXPECT_NE(bad("", {"PQD___=1"}), "");
  EXPECT_NE(bad("", {"PQD_DAEMON__SOCKET=/\xff"}), "");
}

TEST(ConfigEnvironment, IsThatOfTheProcess) {
  ::setenv("PQD_CONFIG_TEST", "7", 1);
  const auto variables = process_environment();
  EXPECT_NE(std::find(variables.begin(), variables.end(), "PQD_CONFIG_TEST=7"), variables.end());
  ::unsetenv("PQD_CONFIG_TEST");
}

}  // namespace
}  // namespace pqd
