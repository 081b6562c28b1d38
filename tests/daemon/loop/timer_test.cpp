#include <limits>
#include <vector>

#include "tests/daemon/loop/fixtures.h"

namespace pqd::loop_test {
namespace {

class Timers : public LoopTest {};
PQD_OVER_BOTH_BACKENDS(Timers);

TEST_P(Timers, RunInTheOrderOfTheirDeadlinesAndNeverEarly) {
  std::vector<int> order;
  const int64_t start = EventLoop::monotonic_ns();
  for (const int ms : {9, 3, 6, 1}) {
    const int64_t deadline = start + ms * kMsNs;
    loop_->arm_timer(deadline, [&order, ms, deadline] {
      EXPECT_GE(EventLoop::monotonic_ns(), deadline);
      order.push_back(ms);
    });
  }
  EXPECT_TRUE(run_until([&] { return order.size() == 4; }));
  EXPECT_EQ(order, (std::vector{1, 3, 6, 9}));
}

TEST_P(Timers, OfThePastRunAtOnceWithoutWaiting) {
  int ran = 0;
  loop_->arm_timer(0, [&] { ++ran; });
  loop_->arm_timer(std::numeric_limits<int64_t>::min(), [&] { ++ran; });
  EXPECT_EQ(loop_->run(-1), 2U);
  EXPECT_EQ(ran, 2);
}

TEST_P(Timers, CancelledDoNotRun) {
  std::vector<int> ran;
  const TimerId gone = loop_->arm_timer(0, [&] { ran.push_back(1); });
  loop_->cancel_timer(gone);
  loop_->cancel_timer(gone);
  loop_->arm_timer(0, [&] { ran.push_back(2); });
  EXPECT_TRUE(run_until([&] { return !ran.empty(); }));
  EXPECT_EQ(ran, (std::vector{2}));
}

TEST_P(Timers, CancelledByAnotherThatIsDueWithThemDoNotRun) {
  int ran = 0;
  TimerId second = 0;
  loop_->arm_timer(1, [&] {
    ++ran;
    loop_->cancel_timer(second);
  });
  second = loop_->arm_timer(2, [&] { ran += 100; });
  run_out();
  EXPECT_EQ(ran, 1);
}

TEST_P(Timers, ThatArmThemselvesForNowStarveNobody) {
  const UniqueFd ready = make_eventfd(1);
  int again = 0;
  bool other_timer = false;
  bool descriptor = false;
  std::function<void()> rearm = [&] {
    ++again;
    loop_->arm_timer(0, rearm);
  };
  loop_->arm_timer(0, rearm);
  loop_->arm_timer(EventLoop::monotonic_ns() + kMsNs, [&] { other_timer = true; });
  loop_->watch(ready.get(), [&] { descriptor = true; });
  EXPECT_TRUE(run_until([&] { return other_timer && descriptor; }));
  EXPECT_GT(again, 1);
}

TEST_P(Timers, EndAnEndlessWait) {
  bool ran = false;
  loop_->arm_timer(EventLoop::monotonic_ns() + 5 * kMsNs, [&] { ran = true; });
  while (!ran) loop_->run(-1);
}

TEST_P(Timers, OfTheFarFutureDoNotDisturb) {
  loop_->arm_timer(std::numeric_limits<int64_t>::max(), [] { FAIL(); });
  EXPECT_EQ(loop_->run(kMsNs), 0U);
  loop_->wake();
  EXPECT_EQ(loop_->run(-1), 1U);
}

}  // namespace
}  // namespace pqd::loop_test
