// The whole daemon is stopped and started again under load, as an update of it does: nobody is refused.
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"
#include "tests/support/load/load_history.h"

namespace pqd::test {
namespace {

constexpr int kRestarts = 5;
// Allowed for each restart: far less than the queue takes, so that none is refused for want of room.
constexpr uint64_t kJobs = 4'000;

class RestartTest : public WithDaemon {
 protected:
  RestartTest() : WithDaemon(kLoadConfig) {}

  static bool acknowledges(Load& load, uint64_t more) {
    const uint64_t wanted = load.board().acknowledged.load() + more;
    return eventually([&] { return load.board().acknowledged.load() >= wanted; });
  }
  // While producers are at it.
  void restart_under(Load& load) {
    load.allow(kJobs);
    for (int i = 0; i < kRestarts; ++i) {
      ASSERT_TRUE(acknowledges(load, kJobs / 8)) << "after " << i << " restarts";
      daemon_.stop();
      load.allow(kJobs);  // some come while nobody is there
      load.engine_died();
      ASSERT_TRUE(daemon_.start());
    }
    ASSERT_TRUE(acknowledges(load, kJobs / 8));
    ASSERT_EQ(load.finish(), "");
  }
  // REQUIRES: finished.
  LoadFigures expect_nothing_refused_or_lost(const Load& load) {
    const LoadJudgement judged = judge(load);
    EXPECT_EQ(judged.broken, std::vector<std::string>());
    EXPECT_EQ(judged.figures.refused, 0u);
    EXPECT_EQ(judged.figures.lost, 0u);
    std::printf("%lu jobs acknowledged, %lu completed, %lu deliveries, %lu sent again\n",
                judged.figures.acknowledged, judged.figures.completed, judged.figures.taken,
                judged.figures.sent_again);
    return judged.figures;
  }
};

TEST_F(RestartTest, GracefulOneRefusesNoSubmitAndLosesNothing) {
  Load load(daemon_.socket(), {});
  restart_under(load);
  const LoadFigures figures = expect_nothing_refused_or_lost(load);
  EXPECT_EQ(figures.completed, figures.acknowledged);
  EXPECT_GT(figures.sent_again, 0u) << "nothing was under way at any restart";
  // Consumers come back for the jobs that they have in hand.
  EXPECT_EQ(figures.taken, figures.acknowledged);
}

TEST_F(RestartTest, GracefulOneRefusesNoSubmitOfAnyKind) {
  Load load(daemon_.socket(), {.producers = 3, .consumers = 4, .mix = 1});
  restart_under(load);
  const LoadFigures figures = expect_nothing_refused_or_lost(load);
  // What was in memory only is gone, and was told so.
  EXPECT_GE(figures.completed + figures.failed + figures.timed_out + figures.memory_gone + figures.duplicates,
            figures.acknowledged);
}

}  // namespace
}  // namespace pqd::test
