// The C ABI from C, through the shared library and nothing else of ours.
#include "tests/bindings/c_abi.h"

#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

// What the scenario complains about; "" when all of it held.
std::string complaint_of(const char* complaint) { return complaint == nullptr ? "" : complaint; }

class InC : public WithDaemon {
 protected:
  const char* socket() const { return daemon_.socket().c_str(); }
};

TEST_F(InC, SubmitsWorksAndLooks) { EXPECT_EQ(complaint_of(c_submit_work_and_look(socket())), ""); }
TEST_F(InC, SettlesInEveryWay) { EXPECT_EQ(complaint_of(c_settles_in_every_way(socket())), ""); }
TEST_F(InC, WorksOnBatches) { EXPECT_EQ(complaint_of(c_works_on_batches(socket())), ""); }
TEST_F(InC, CommandsQueuesAndDeadLetters) {
  EXPECT_EQ(complaint_of(c_commands_queues_and_dead_letters(socket())), "");
}
TEST_F(InC, KeepsSchedules) { EXPECT_EQ(complaint_of(c_keeps_schedules(socket())), ""); }
TEST_F(InC, SubmitsManyAllOrNone) { EXPECT_EQ(complaint_of(c_submits_many(socket())), ""); }
TEST_F(InC, SubmitsFifoAtLeastOnceFsyncAndNormalUnlessItSaysOtherwise) {
  EXPECT_EQ(complaint_of(c_submits_by_default(socket())), "");
}
TEST_F(InC, TellsADuplicateFromANewJob) { EXPECT_EQ(complaint_of(c_tells_duplicates(socket())), ""); }
TEST_F(InC, TellsWhenToComeBackAfterTheRateLimit) {
  EXPECT_EQ(complaint_of(c_tells_when_to_come_back(socket())), "");
}
TEST_F(InC, TakesStructsOfEarlierAndLaterCallers) { EXPECT_EQ(complaint_of(c_sized_structs(socket())), ""); }
TEST_F(InC, RunsInAnEventLoop) { EXPECT_EQ(complaint_of(c_event_loop(socket())), ""); }
TEST_F(InC, ExplainsAndWatches) { EXPECT_EQ(complaint_of(c_explains_and_watches(socket())), ""); }
TEST_F(InC, CountsWhatHappened) {
  ASSERT_EQ(complaint_of(c_submits_what_is_counted(socket())), "");
  // Answered from the store, which the next checkpoint brings up to date.
  EXPECT_TRUE(eventually([this] {
    int counted = 0;
    EXPECT_EQ(complaint_of(c_counts(socket(), &counted)), "");
    return counted != 0 || HasFailure();
  }));
}
TEST_F(InC, RefusesMisuseInsteadOfCrashing) { EXPECT_EQ(complaint_of(c_misuse(socket())), ""); }

class InCWithPartitions : public WithDaemon {
 protected:
  InCWithPartitions() : WithDaemon("[engine]\npartitions = 2\n") {}
};

TEST_F(InCWithPartitions, SubmitsWorksAndLooksAsWithOne) {
  EXPECT_EQ(complaint_of(c_uses_all_partitions(daemon_.socket().c_str())), "");
}

TEST(InCAlone, SaysWhyItCannotConnect) {
  const TempDir directory;
  EXPECT_EQ(complaint_of(c_without_a_daemon(directory.path("pqd.sock").c_str())), "");
}
TEST(InCAlone, HasANameAndASentenceForEveryStatus) { EXPECT_EQ(complaint_of(c_texts()), ""); }

}  // namespace
}  // namespace pqd::test
