// What a bad configuration is told: where, what, and what would be right.
#include <gtest/gtest.h>

#include "tests/daemon/config/fixtures.h"

namespace pqd {
namespace {

TEST(ConfigFaults, GuessesTheKeyThatWasMeant) {
  EXPECT_EQ(bad("[daemon]\nsesions_max = 3\n"),
            "f:2:1: there is no setting sesions_max in [daemon] (did you mean sessions_max?)\n");
  EXPECT_EQ(bad("[queue.mail]\n  colour = 3\n"), "f:2:3: there is no setting colour in [queue.mail]\n");
  EXPECT_EQ(bad("[deamon]\n"), "f:1:2: there is no table [deamon] (did you mean daemon?)\n");
  EXPECT_EQ(bad("[queues.default]\nmax_depth = 1\n"),
            "f:1:9: there is no table [queues.default] (did you mean defaults?)\n");
}

TEST(ConfigFaults, SaysWhereAMisplacedSettingBelongs) {
  EXPECT_EQ(bad("[store]\nsocket = \"/x\"\n"),
            "f:2:1: there is no setting socket in [store]: it belongs in [daemon]\n");
  EXPECT_EQ(
      bad("[queues]\nmax_depth = 5\n"),
      "f:2:1: there is no setting max_depth in [queues]: it belongs in [queues.defaults] or [queue.NAME]\n");
  EXPECT_EQ(bad("[queue]\nmax_depth = 5\n"),
            "f:2:1: max_depth is of one queue: write it in [queue.NAME], or in [queues.defaults] for all\n");
  EXPECT_EQ(bad("max_depth = 5\n"),
            "f:1:1: max_depth stands outside of every table: settings are in [daemon], [engine], [queues], "
            "[queues.defaults], "
            "[queue.NAME], [limits], [access.user.NAME], [access.group.NAME] and [store]\n");
  EXPECT_EQ(bad("[queues.mail]\nmax_depth = 5\n"),
            "f:1:9: there is no table [queues.mail]: the settings of one queue are in [queue.mail]\n");
  EXPECT_EQ(bad("[queue.a.b]\nmax_depth = 5\n"),
            "f:1:10: [queue.a] has no table b; a queue's name with a dot is written in quotes: "
            "[queue.\"a.b\"]\n");
}

TEST(ConfigFaults, SaysWhatIsWrongWithAWeight) {
  EXPECT_EQ(bad("[queue.a.user_weight]\nroot = 2\n"),
            "f:1:10: [queue.a] has no table user_weight (did you mean user_weights?); a queue's name with a "
            "dot is written in quotes: [queue.\"a.user_weight\"]\n");
  EXPECT_EQ(bad("[queue.a.user_weights]\nno-such-user = 2\n"),
            "f:2:1: there is no user \"no-such-user\" on this machine\n");
  EXPECT_EQ(bad("[queue.a.user_weights]\n\"root/\" = 2\n"),
            "f:2:1: \"root/\" names no end user: after the / come 1 to 128 bytes\n");
  EXPECT_EQ(bad("[queue.a.key_weights]\nk = 0\n"), "f:2:5: weight is a whole number from 1 to 1000, not 0\n");
}

TEST(ConfigFaults, SaysWhatIsWrongWithAUsersRate) {
  EXPECT_EQ(bad("[limits.user_rates]\nno-such-user = 2\n"),
            "f:2:1: there is no user \"no-such-user\" on this machine\n");
  EXPECT_EQ(bad("[limits.user_rates]\nroot = 100000001\n"),
            "f:2:8: rate_limit is a whole number from 0 to 100000000; 0 means unlimited, not 100000001\n");
  EXPECT_EQ(bad("[limits.rates]\nroot = 1\n"), "f:1:9: there is no setting rates in [limits]\n");
}

TEST(ConfigFaults, SaysWhatIsWrongWithARole) {
  EXPECT_EQ(bad("[access.user.no-such-user]\nadmin = true\n"),
            "f:1:14: there is no user \"no-such-user\" on this machine\n");
  EXPECT_EQ(bad("[access.group.no-such-group]\nadmin = true\n"),
            "f:1:15: there is no group \"no-such-group\" on this machine\n");
  EXPECT_EQ(bad("[access.user.root]\nact_for = true\n"),
            "f:1:14: [access.user.root] gives no role: producer, consumer, operator or admin\n");
  EXPECT_EQ(bad("[access.user.root]\nadmin = true\n[access.user.0]\nadmin = true\n"),
            "f:1:14: [access.user.root] is about the same one as [access.user.0]\n");
  EXPECT_EQ(bad("[access.user.root]\nproduce = [\"a\"]\nadmin = true\n"),
            "f:2:1: there is no setting produce in [access.user.root] (did you mean producer?)\n");
  EXPECT_EQ(bad("[access.users.root]\nadmin = true\n"),
            "f:1:9: [access] has no users (did you mean user?): roles are given in [access.user.NAME] and "
            "[access.group.NAME]\n");
  EXPECT_EQ(bad("[access]\nuser = 5\n"), "f:2:1: user is a table: [access.user.NAME]\n");
  EXPECT_EQ(bad("[daemon]\nproducer = [\"a\"]\n"),
            "f:2:1: there is no setting producer in [daemon]: it belongs in [access.user.NAME] or "
            "[access.group.NAME]\n");
}

TEST(ConfigFaults, SaysWhatIsWrongWithAListOfQueues) {
  const std::string queues =
      "f:2:12: producer is a list of queues: [\"mail\"], [\"mail.*\", \"report\"], or [\"*\"] for all of "
      "them";
  EXPECT_EQ(bad("[access.user.root]\nproducer = \"mail\"\nadmin = true\n"), queues + ", not \"mail\"\n");
  EXPECT_EQ(bad("[access.user.root]\nproducer = [\"a\", \"b c\"]\nadmin = true\n"),
            queues + ", not \"b c\"\n");
  EXPECT_EQ(bad("[access.user.root]\nproducer = [1]\nadmin = true\n"), queues + "\n");
  EXPECT_EQ(bad("[access.user.root]\nconsumer = [\"a/b/c\"]\nadmin = true\n"),
            "f:2:12: consumer is a list of queues, each with a type behind a slash or without: [\"mail\"], "
            "[\"mail/send\"], [\"*/report.*\"], not \"a/b/c\"\n");
  EXPECT_EQ(bad("[daemon]\nsessions_max = [\"a\"]\n"),
            "f:2:16: sessions_max is a whole number from 1 to 100000, not a list\n");
}

TEST(ConfigFaults, RefusesRolesForMoreGroupsThanAClientIsAskedAbout) {
  std::string text;
  for (int gid = 0; gid < 33; ++gid)
    text += "[access.group." + std::to_string(70'000 + gid) + "]\noperator = true\n";
  EXPECT_EQ(bad(text), "f:65:15: roles are given to 33 groups, and 32 at most may have some\n");
}

TEST(ConfigFaults, SaysThatRolesStandInTheFile) {
  EXPECT_EQ(
      bad("", {"PQD_ACCESS__USER__ROOT__ADMIN=true"}),
      "environment PQD_ACCESS__USER__ROOT__ADMIN: who may do what stands in the configuration file only, "
      "under [access]\n");
}

TEST(ConfigFaults, TellsTheFormAndTheRange) {
  EXPECT_EQ(bad("[daemon]\nsessions_max = 0\n"),
            "f:2:16: sessions_max is a whole number from 1 to 100000, not 0\n");
  EXPECT_EQ(bad("[daemon]\nsessions_max = \"5\"\n"),
            "f:2:16: sessions_max is a whole number from 1 to 100000, not \"5\"\n");
  EXPECT_EQ(bad("[daemon]\nmax_payload_bytes = \"17MiB\"\n"),
            "f:2:21: max_payload_bytes is a number of bytes, or a text such as \"64MiB\" or \"1GiB\", from 1 "
            "to 16MiB, "
            "not \"17MiB\"\n");
  EXPECT_EQ(bad("[queues.defaults]\nqueue_timeout = 5\n"),
            "f:2:17: queue_timeout is a duration with its unit, such as \"500ms\", \"30s\" or \"1h\", from 0 "
            "to 49d; 0 "
            "means for ever, not 5\n");
  EXPECT_EQ(bad("[queues.defaults]\nprocessing_timeout = \"0\"\n"),
            "f:2:22: processing_timeout is a duration with its unit, such as \"500ms\", \"30s\" or \"1h\", "
            "from 1ms to "
            "49d, not \"0\"\n");
  EXPECT_EQ(bad("[queues.defaults]\nfair = \"usr\"\n"),
            "f:2:8: fair is one of \"off\", \"user\", \"key\", not \"usr\" (did you mean \"user\"?)\n");
  EXPECT_EQ(bad("[queues]\nstrict = \"true\"\n"), "f:2:10: strict is true or false, not \"true\"\n");
  EXPECT_EQ(bad("[daemon]\nstate_dir = \"here\"\n"),
            "f:2:13: state_dir is a path from the root, such as \"/var/lib/pqd\", of at most 4000 bytes, not "
            "\"here\"\n");
  EXPECT_NE(bad("[daemon]\nsocket = \"/" + std::string(107, 'x') + "\"\n").find("107 bytes"),
            std::string::npos);
  for (const char* value : {"1.5", "true", "[1]", "{}", "1979-05-27", "-1", "9223372036854775807"})
    EXPECT_TRUE(bad(std::string("[store]\nreserved_bytes = ") + value + "\n")
                    .starts_with("f:2:18: reserved_bytes is"))
        << value;
}

TEST(ConfigFaults, KnowsTablesFromValues) {
  EXPECT_EQ(bad("daemon = 5\n"), "f:1:1: daemon is a table: [daemon]\n");
  EXPECT_EQ(bad("queue.mail = 5\n"), "f:1:7: mail is a table: [queue.mail]\n");
  EXPECT_EQ(bad("[[queue.mail]]\nmax_depth = 5\n"), "f:1:9: mail is a table: [queue.mail]\n");
  EXPECT_EQ(bad("[queues]\ndefaults = true\n"), "f:2:1: defaults is a table: [queues.defaults]\n");
}

TEST(ConfigFaults, KnowsWhatNoQueueCanBeCalled) {
  EXPECT_EQ(bad("[queue.\"a b\"]\n"),
            "f:1:8: \"a b\" is no name for a queue: 1 to 64 of A-Z a-z 0-9 . _ : -\n");
  EXPECT_NE(bad("[queue.\"\"]\n"), "");
  EXPECT_NE(bad("[queue." + std::string(65, 'x') + "]\n"), "");
}

TEST(ConfigFaults, ComparesTheBackoffWithItsCapWhereOneOfThemIsSaid) {
  EXPECT_EQ(bad("[queues.defaults]\nbackoff = \"2h\"\n[queue.mail]\nmax_depth = 1\n"),
            "f:2:11: backoff (2h) is longer than backoff_cap (1h): raise backoff_cap as well\n");
  EXPECT_EQ(bad("[queue.mail]\nbackoff_cap = \"5ms\"\n"),
            "f:2:15: backoff (1s) is longer than backoff_cap (5ms): raise backoff_cap as well\n");
}

TEST(ConfigFaults, AreToldAllAtOnceInOrder) {
  EXPECT_EQ(
      bad("[store]\nreserved_bytes = true\n[daemon]\nsocket = 5\nevent_loop = \"poll\"\n",
          {"PQD_DAEMON__LOG_LEVEL=loud"}),
      "f:2:18: reserved_bytes is a number of bytes, or a text such as \"64MiB\" or \"1GiB\", from 0 to "
      "1024TiB; 0 "
      "means no check, not true\n"
      "f:4:10: socket is a path from the root, such as \"/var/lib/pqd\", of at most 107 bytes, not 5\n"
      "f:5:14: event_loop is one of \"auto\", \"io_uring\", \"epoll\", not \"poll\" (did you mean "
      "\"epoll\"?)\n"
      "environment PQD_DAEMON__LOG_LEVEL: log_level is one of \"debug\", \"info\", \"warn\", \"error\", not "
      "\"loud\"\n");
}

TEST(ConfigFaults, NameThePlaceWhereTheTextStopsBeingToml) {
  EXPECT_TRUE(bad("[daemon\n").starts_with("f:1:"));
  EXPECT_TRUE(bad("[daemon]\nsocket = \"/x\"\nsocket = \"/y\"\n").starts_with("f:3:"));
  EXPECT_TRUE(bad("[daemon]\nsocket = \"\xff\"\n").starts_with("f:2:"));
}

TEST(ConfigFaults, AreOneLineEachWhateverStandsInTheFile) {
  const std::string faults = bad("\"a\\nb\" = 1\n[daemon]\nlog_level = \"x\\ny\\u001b\"\n\"c\\nd\" = 2\n");
  EXPECT_EQ(std::count(faults.begin(), faults.end(), '\n'), 3) << faults;
  EXPECT_EQ(faults.find('\x1b'), std::string::npos);
}

TEST(ConfigFaults, TellAFileThatCannotBeRead) {
  EXPECT_EQ(load_config("/nonexistent/pqd.toml", {}).error(),
            ConfigFaults{"/nonexistent/pqd.toml:1:1: cannot be read: No such file or directory"});
  EXPECT_EQ(load_config("/tmp", {}).error(), ConfigFaults{"/tmp:1:1: cannot be read: Is a directory"});
  EXPECT_EQ(load_config("/dev/zero", {}).error(),
            ConfigFaults{"/dev/zero:1:1: is over 8 MiB: this is no configuration"});
}

TEST(ConfigFaults, CountTheQueues) {
  std::string text;
  for (int i = 0; i < 4'095; ++i) text += "[queue.q" + std::to_string(i) + "]\n";
  good(text);
  good(text + "[queue.default]\n");
  EXPECT_NE(bad(text + "[queue.one-more]\n").find("4096 queues"), std::string::npos);
}

}  // namespace
}  // namespace pqd
