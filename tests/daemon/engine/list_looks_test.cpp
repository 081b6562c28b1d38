// Lists under way in the live jobs: whose turn it is.
#include "daemon/engine/list_looks.h"

#include <gtest/gtest.h>

namespace pqd::test {
namespace {

// More than two passes look at, in two queues of a type each.
constexpr uint64_t kJobs = 3 * ListLooks::kRowsPerPass;

class ListLooksTest : public ::testing::Test {
 protected:
  ListLooksTest() {
    for (uint64_t i = 1; i <= kJobs; ++i) {
      JobCore core;
      core.id = JobId::make(1'700'000'000'000 + i, 1, 0, i);
      core.no = i;
      core.queue = i % 2;
      core.type = i % 2;
      state.jobs.add(core, {});
    }
  }
  // Of what no job is, for which each of them has to be looked at; or of nothing.
  void begin(SessionNo session, bool nothing) {
    StoreQuestion question;
    question.kind = QueryKind::kJobs;
    question.asker.session = session;
    question.filter.queue = 0;
    question.filter.type = 1;
    question.filter.nothing = nothing;
    lists.begin(std::move(question));
  }
  // Whose lists were complete, in that order.
  std::vector<SessionNo> pass() {
    std::vector<SessionNo> done;
    lists.go_on(state, [&](const StoreQuestion& question) { done.push_back(question.asker.session); });
    return done;
  }

  State state;
  ListLooks lists;
};

TEST_F(ListLooksTest, TakeTurnsSoThatAShortOneIsNotHeldUpByALongOne) {
  begin(7, false);
  begin(8, true);
  EXPECT_EQ(pass(), (std::vector<SessionNo>{}));
  EXPECT_EQ(pass(), (std::vector<SessionNo>{8}));
  while (!lists.empty()) {
    for (const SessionNo session : pass()) EXPECT_EQ(session, 7u);
  }
}

TEST_F(ListLooksTest, AreForgottenWithTheirSession) {
  begin(7, false);
  begin(8, true);
  EXPECT_EQ(pass(), (std::vector<SessionNo>{}));
  lists.forget(7);
  EXPECT_EQ(pass(), (std::vector<SessionNo>{8}));
  EXPECT_TRUE(lists.empty());
}

}  // namespace
}  // namespace pqd::test
