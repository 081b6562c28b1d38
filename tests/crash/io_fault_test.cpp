// One call to the disk fails, whichever: the store stops, says why, and comes back with all that it promised.
#include <gtest/gtest.h>

#include <random>

#include "tests/crash/recorded_life.h"

namespace pqd::test {
namespace {

constexpr uint64_t kCommits = 60;

struct Kind {
  const char* name;
  FaultPlan plan;  // but for `nth`
  Error error;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class FailedCall : public ::testing::TestWithParam<Kind> {};

TEST_P(FailedCall, StopsTheStoreAndLosesNothing) {
  const uint64_t calls = record_life({.seed = 7, .commits = kCommits})->calls;
  ASSERT_GT(calls, 200u);
  uint64_t stopped = 0;
  // Each of the first, which a start makes; then some at random.
  std::mt19937_64 random(7);
  for (uint64_t nth = 1; nth <= calls; nth += nth < 50 ? 1 : 1 + random() % 20) {
    SCOPED_TRACE("call " + std::to_string(nth));
    LifePlan plan{.seed = 7, .commits = kCommits, .fault = GetParam().plan};
    plan.fault.nth = nth;
    const auto life = record_life(plan);
    EXPECT_FALSE(life->went_on) << "a store that had failed took another write";
    if (life->end) {
      ++stopped;
      EXPECT_TRUE(life->faulted) << life->end->text;
      EXPECT_TRUE(life->end->fatal);
      EXPECT_EQ(life->end->code, GetParam().error) << life->end->text;
    }
    EXPECT_EQ(fault_of_image(life->directory.path(), *life, SIZE_MAX), "");
  }
  EXPECT_GT(stopped, 30u) << "the others were calls whose failure harms nothing, such as deletions";
}

INSTANTIATE_TEST_SUITE_P(Kinds, FailedCall,
                         ::testing::Values(Kind{"once", {}, Error::kSystemError},
                                           Kind{"from_on", {.from_on = true}, Error::kSystemError},
                                           Kind{"no_space",
                                                {.from_on = true, .error = FaultPlan::Error::kNoSpace},
                                                Error::kNoSpace}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace pqd::test
