// Deaths under load: whoever is killed, what was acknowledged is done, once for each attempt.
#include <algorithm>

#include "core/job.h"
#include "tests/e2e/load.h"
#include "tests/support/daemon.h"

namespace pqd::test {
namespace {

constexpr uint8_t kCompletedBit = 1 << static_cast<int>(JobState::kCompleted);

// Restarts in quick succession are the point here, not the back-off.
constexpr const char* kConfig = R"(
[daemon]
engine_backoff_max = "10ms"
log_level = "warn"
[queue.load]
max_depth = 100000
max_active = 0
queue_timeout = 0
admission_timeout = "1m"
)";

class KillsTest : public WithDaemon {
 protected:
  KillsTest() : WithDaemon(kConfig) {}

  // Every acknowledged job is completed, nothing else is there; no attempt of a job was handed out twice.
  void expect_nothing_lost(const Load& load) {
    const std::set<JobId> acknowledged = load.acknowledged();
    const auto completed = jobs_in_state(daemon_.socket(), "load", kCompletedBit);
    const auto all = jobs_in_state(daemon_.socket(), "load", 0);
    size_t lost = 0;
    for (const JobId& id : acknowledged) lost += completed.contains(id) ? 0u : 1u;
    EXPECT_EQ(lost, 0u) << "of " << acknowledged.size();
    EXPECT_EQ(all.size(), acknowledged.size()) << "jobs that nobody was told of, or told twice";
    const auto deliveries = load.deliveries();
    EXPECT_EQ(std::ranges::adjacent_find(deliveries), deliveries.end()) << "one attempt was delivered twice";
    std::printf("%zu jobs acknowledged, %zu completed, %zu deliveries\n", acknowledged.size(),
                completed.size(), deliveries.size());
  }
};

TEST_F(KillsTest, AHundredDeadEnginesInARowLoseNothingAndDuplicateNothing) {
  Load load(daemon_.socket(), {});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(load.handles(20)) << "after " << i << " kills";
    daemon_.kill_engine();
  }
  ASSERT_EQ(load.finish(), "");
  expect_nothing_lost(load);
  // Leases outlive their engine: nobody was given a job that somebody else had.
  EXPECT_EQ(load.deliveries().size(), load.acknowledged().size());
}

TEST_F(KillsTest, ClientsCarryOnOverTheDeathOfTheWholeDaemon) {
  Load load(daemon_.socket(), {});
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(load.handles(50)) << "after " << i << " kills";
    daemon_.kill();
    ASSERT_TRUE(daemon_.start());
  }
  ASSERT_EQ(load.finish(), "");
  expect_nothing_lost(load);
}

TEST_F(KillsTest, DeadConsumersCostAnAttemptAndNoJob) {
  Load load(daemon_.socket(), {});
  for (size_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(load.handles(20));
    load.replace_consumer(i % 2);
  }
  ASSERT_EQ(load.finish(), "");
  expect_nothing_lost(load);
}

}  // namespace
}  // namespace pqd::test
