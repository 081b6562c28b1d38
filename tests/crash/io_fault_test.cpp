// One call to the disk fails, whichever: the store stops, says why, and comes back with all that it promised.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/crash/failed_calls.h"
#include "tests/support/sanitized.h"

namespace pqd::test {

void PrintTo(const KindOfFault& kind, std::ostream* out) { *out << kind.name; }

namespace {

class FailedCall : public ::testing::TestWithParam<KindOfFault> {
 protected:
  // Every one, of a short life; with sanitizers some of them.
  static FailedCallReport fail_all(bool start) {
    const uint64_t every = kSanitized ? 10 : 1;
    const FailedCallReport report = fail_calls({.life = {.seed = 7, .commits = 30, .fault = GetParam().plan},
                                                .first = (every + 1) / 2,
                                                .every = every,
                                                .start = start});
    std::printf("%lu calls, %lu lives: %lu stopped, %lu aborted\n", report.calls, report.lives,
                report.stopped, report.aborted);
    EXPECT_EQ(report.failed, 0u) << report.first_failure;
    EXPECT_GE(report.lives, report.calls / every);
    return report;
  }
};

TEST_P(FailedCall, StopsTheStoreAndLosesNothing) {
  const FailedCallReport report = fail_all(false);
  EXPECT_GT(report.calls, GetParam().plan.reads ? 20u : 150u);
  if (!kSanitized) {
    // Of reads fewer count: RocksDB looks into each family's files, and most of these looks it can do without.
    const uint64_t share = GetParam().plan.reads ? 5 : 4;
    EXPECT_GT(report.stopped, report.calls / share) << "the others are calls whose failure harms nothing";
  }
}

TEST_P(FailedCall, OfAStartRefusesItAndLosesNothing) {
  const FailedCallReport report = fail_all(true);
  EXPECT_GT(report.calls, 20u);
  EXPECT_GT(report.stopped, report.lives / 3);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FailedCall, ::testing::ValuesIn(kKindsOfFaults),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace pqd::test
