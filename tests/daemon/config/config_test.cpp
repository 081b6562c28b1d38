// What a good configuration means.
#include "daemon/config/config.h"

#include <gtest/gtest.h>

#include "tests/daemon/config/fixtures.h"

namespace pqd {
namespace {

TEST(Config, KnowsUsersAndGroupsByNameHoweverLongTheirRecords) {
  EXPECT_EQ(uid_of_user("root"), 0u);
  EXPECT_EQ(gid_of_group("root"), 0u);
  EXPECT_EQ(uid_of_user("4711"), 4711u);
  EXPECT_FALSE(uid_of_user("no-such-user"));
  EXPECT_FALSE(gid_of_group("no-such-group"));
}

TEST(Config, GivesRolesToUsersAndGroupsByNameAndNumber) {
  const Config config = good(
      "[access.user.root]\nproducer = [\"mail\", \"bulk.*\"]\nact_for = true\n"
      "[access.user.\"*\"]\nproducer = [\"drop\"]\n"
      "[access.group.1234]\nconsumer = [\"mail/send\"]\noperator = true\n");
  const AccessRules rules = access_rules(config.access, 77);
  EXPECT_TRUE(rules.is_master(77) && rules.is_master(0) && !rules.is_master(78));
  ASSERT_TRUE(rules.everyone);
  EXPECT_EQ(rules.everyone->produces.size(), 1u);
  ASSERT_TRUE(rules.users.contains(0));
  EXPECT_EQ(rules.users.at(0).produces.size(), 2u);
  EXPECT_TRUE(rules.users.at(0).acts_for && !rules.users.at(0).admin);
  ASSERT_TRUE(rules.groups.contains(1234));
  EXPECT_TRUE(rules.groups.at(1234).operates);
  EXPECT_EQ(rules.groups.at(1234).consumes.size(), 1u);
  EXPECT_FALSE(access_rules({}, 77).lets_others_in());
}

TEST(Config, IsTheDefaultsWhenNothingIsSaid) {
  EXPECT_EQ(good(""), Config());
  EXPECT_EQ(load_config("", {}), Config());
}

TEST(Config, TakesEachTable) {
  const Config config = good(R"(
[daemon]
state_dir = "/srv/pqd"
socket = "/srv/pqd.sock"
sessions_max = 7
session_memory_bytes = "1GiB"
max_payload_bytes = 1000
event_loop = "epoll"
log_level = "debug"

[engine]
partitions = 4
spin_us = 20
payload_memory_bytes = "8MiB"

[queues]
strict = true

[limits]
rate_limit = 7

[store]
reserved_bytes = "64MiB"
checkpoint_interval = "250ms"
)");
  EXPECT_EQ(config.daemon, (DaemonConfig{.state_dir = "/srv/pqd",
                                         .socket = "/srv/pqd.sock",
                                         .sessions_max = 7,
                                         .session_memory_bytes = 1u << 30,
                                         .max_payload_bytes = 1'000,
                                         .event_loop = BackendChoice::kEpoll,
                                         .log_level = "debug"}));
  EXPECT_EQ(config.engine, (EngineConfig{.partitions = 4, .spin_us = 20, .payload_memory_bytes = 8u << 20}));
  EXPECT_TRUE(config.queues.strict);
  EXPECT_EQ(config.limits, (LimitsConfig{.rate_limit = 7}));
  EXPECT_EQ(config.store, (StoreConfig{.reserved_bytes = 64u << 20, .checkpoint_interval_ms = 250}));
}

TEST(Config, TakesTheWordAutoWherePqdMayChooseANumber) {
  EXPECT_EQ(good("").engine.spin_us, kAutomatic);
  EXPECT_EQ(good("[engine]\nspin_us = \"auto\"\n").engine.spin_us, kAutomatic);
  EXPECT_EQ(good("[engine]\nspin_us = 0\n", {"PQD_ENGINE__SPIN_US=auto"}).engine.spin_us, kAutomatic);
  EXPECT_EQ(good("", {"PQD_ENGINE__SPIN_US=1000"}).engine.spin_us, 1'000u);
  EXPECT_EQ(bad("[engine]\nspin_us = 1001\n"),
            "f:2:11: spin_us is a whole number from 0 to 1000, or \"auto\"; 0 means not at all, not 1001\n");
  EXPECT_EQ(bad("[engine]\npartitions = \"auto\"\n"),
            "f:2:14: partitions is a whole number from 1 to 64, not \"auto\"\n");
}

TEST(Config, TakesEverySettingOfAQueue) {
  const Config config = good(R"(
[queue.mail]
max_depth = 5
max_bytes = "1MiB"
admission_timeout = 0
queue_timeout = "0"
processing_timeout = "2m"
batch_size = 9
batch_interval = "3s"
max_active = 0
max_attempts = 65535
backoff = "10ms"
backoff_cap = "20ms"
starvation_guard = 0
fair = "key"
)");
  EXPECT_EQ(config.queues.named.at("mail"), (QueueSettings{.max_depth = 5,
                                                           .max_bytes = 1u << 20,
                                                           .admission_timeout_ms = 0,
                                                           .queue_timeout_ms = 0,
                                                           .processing_timeout_ms = 120'000,
                                                           .max_active = 0,
                                                           .max_attempts = 65'535,
                                                           .backoff_first_ms = 10,
                                                           .backoff_cap_ms = 20,
                                                           .starvation_guard = 0,
                                                           .batch_size = 9,
                                                           .batch_interval_ms = 3'000,
                                                           .fair = Fairness::kKey}));
}

TEST(Config, LetsAQueueInheritTheDefaultsWhereverTheyStand) {
  const Config config = good(R"(
[queue.mail]
max_active = 3
[queue.empty]
[queues.defaults]
max_active = 20
max_attempts = 9
)");
  EXPECT_EQ(config.queues.named.at("mail").max_active, 3u);
  EXPECT_EQ(config.queues.named.at("mail").max_attempts, 9u);
  EXPECT_EQ(config.queues.named.at("empty"), config.queues.defaults);
  EXPECT_EQ(config.queues.defaults.max_active, 20u);
}

TEST(Config, TakesEveryNameThatAQueueMayHave) {
  const Config config = good("[queue.\"a.b:c-D_9\"]\nmax_active = 1\n[queue.a-b]\n");
  EXPECT_TRUE(config.queues.named.contains("a.b:c-D_9"));
  EXPECT_TRUE(config.queues.named.contains("a-b"));
}

TEST(Config, ReadsAFile) {
  const TempFile file("[daemon]\nsessions_max = 5\n");
  const auto config = load_config(file.path(), {});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->daemon.sessions_max, 5u);
}

}  // namespace
}  // namespace pqd
