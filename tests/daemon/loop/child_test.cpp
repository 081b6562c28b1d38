#include <cerrno>
#include <csignal>
#include <optional>
#include <vector>

#include "tests/daemon/loop/fixtures.h"

namespace pqd::loop_test {
namespace {

using End = std::pair<int, int>;

class Children : public LoopTest {
 protected:
  std::optional<End> end_of(pid_t pid) {
    std::optional<End> end;
    const auto id = loop_->watch_child(pid, [&](int code, int status) { end = End{code, status}; });
    EXPECT_TRUE(id);
    EXPECT_TRUE(run_until([&] { return end.has_value(); }));
    run_out();
    return end;
  }
};
PQD_OVER_BOTH_BACKENDS(Children);

TEST_P(Children, ThatExitAreReportedWithTheirStatusAndReaped) {
  ChildProcess child([] { return 7; });
  EXPECT_EQ(end_of(child.pid()), (End{CLD_EXITED, 7}));
  EXPECT_EQ(::waitpid(child.pid(), nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  child.forget();
}

TEST_P(Children, KilledByASignalAreReportedWithIt) {
  ChildProcess child([] {
    ::pause();
    return 0;
  });
  std::optional<End> end;
  ASSERT_TRUE(loop_->watch_child(child.pid(), [&](int code, int status) { end = End{code, status}; }));
  run_out();
  EXPECT_FALSE(end);
  child.kill();
  EXPECT_TRUE(run_until([&] { return end.has_value(); }));
  EXPECT_EQ(end, (End{CLD_KILLED, SIGKILL}));
  child.forget();
}

TEST_P(Children, ReapedBySomebodyElseAreReportedWithoutAStatus) {
  ChildProcess child([] {
    ::pause();
    return 0;
  });
  std::optional<End> end;
  ASSERT_TRUE(loop_->watch_child(child.pid(), [&](int code, int status) { end = End{code, status}; }));
  child.kill();
  child.wait();
  EXPECT_TRUE(run_until([&] { return end.has_value(); }));
  EXPECT_EQ(end, (End{0, 0}));
  run_out(1);
  EXPECT_EQ(loop_->run(0), 0U);
}

TEST_P(Children, ThatAreNotOursAreRefused) {
  EXPECT_EQ(loop_->watch_child(::getppid(), [](int, int) {}), std::unexpected(ECHILD));
  ChildProcess child([] { return 0; });
  const pid_t gone = child.pid();
  child.wait();
  EXPECT_EQ(loop_->watch_child(gone, [](int, int) {}), std::unexpected(ESRCH));
}

TEST_P(Children, UnwatchedAreLeftToOthersToReap) {
  ChildProcess child([] { return 3; });
  const auto id = loop_->watch_child(child.pid(), [](int, int) { FAIL(); });
  ASSERT_TRUE(id);
  loop_->unwatch(*id);
  run_out();
  EXPECT_EQ(child.wait(), 3);
}

TEST_P(Children, OfANumberAreToldApart) {
  std::vector<std::unique_ptr<ChildProcess>> children;
  std::vector<int> status(8, -1);
  for (int i = 0; i < 8; ++i) {
    children.push_back(std::make_unique<ChildProcess>([i] { return 10 + i; }));
    ASSERT_TRUE(loop_->watch_child(children.back()->pid(),
                                   [&status, i](int, int s) { status[static_cast<size_t>(i)] = s; }));
  }
  EXPECT_TRUE(run_until([&] { return std::ranges::all_of(status, [](int s) { return s != -1; }); }));
  EXPECT_EQ(status, (std::vector{10, 11, 12, 13, 14, 15, 16, 17}));
  for (auto& child : children) child->forget();
}

}  // namespace
}  // namespace pqd::loop_test
