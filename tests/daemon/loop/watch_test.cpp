#include <fcntl.h>

#include <vector>

#include "tests/daemon/loop/fixtures.h"

namespace pqd::loop_test {
namespace {

class Watching : public LoopTest {};
PQD_OVER_BOTH_BACKENDS(Watching);

TEST_P(Watching, CallsTheHandlerWhenThereIsSomethingToRead) {
  auto [ours, theirs] = make_socket_pair();
  std::string got;
  const int fd = ours.get();
  loop_->watch(fd, [&got, fd] {
    char byte = 0;
    if (::read(fd, &byte, 1) == 1) got += byte;
  });
  run_out();
  EXPECT_EQ(got, "");
  ASSERT_EQ(::write(theirs.get(), "a", 1), 1);
  EXPECT_TRUE(run_until([&] { return got == "a"; }));
  ASSERT_EQ(::write(theirs.get(), "b", 1), 1);
  EXPECT_TRUE(run_until([&] { return got == "ab"; }));
}

TEST_P(Watching, CallsAgainInEveryRunWhileNobodyReads) {
  const UniqueFd ready = make_eventfd(1);
  int calls = 0;
  loop_->watch(ready.get(), [&] { ++calls; });
  EXPECT_TRUE(run_until([&] { return calls == 5; }));
}

TEST_P(Watching, NoticesThatTheOtherEndWasClosed) {
  auto [ours, theirs] = make_socket_pair();
  int calls = 0;
  loop_->watch(ours.get(), [&] { ++calls; });
  run_out();
  ASSERT_EQ(calls, 0);
  theirs.reset();
  EXPECT_TRUE(run_until([&] { return calls > 0; }));
}

TEST_P(Watching, NoticesThatTheProcessAtTheOtherEndWasKilled) {
  auto [ours, theirs] = make_socket_pair();
  ChildProcess peer([] {
    ::pause();
    return 0;
  });
  theirs.reset();  // the child's copy is the last one
  int calls = 0;
  loop_->watch(ours.get(), [&] { ++calls; });
  run_out();
  peer.kill();
  EXPECT_TRUE(run_until([&] { return calls > 0; }));
}

TEST_P(Watching, AHandlerMayUnwatchItself) {
  const UniqueFd ready = make_eventfd(1);
  int calls = 0;
  WatchId id = 0;
  // The captured string is gone with the handler, if the loop lets go of it too early.
  id = loop_->watch(ready.get(), [&, text = std::string(100, 'x')] {
    loop_->unwatch(id);
    calls += text.back() == 'x' ? 1 : 100;
  });
  EXPECT_TRUE(run_until([&] { return calls == 1; }));
  run_out();
  EXPECT_EQ(calls, 1);
}

TEST_P(Watching, AHandlerMayUnwatchAnotherThatIsReadyInTheSameRun) {
  const std::array fds{make_eventfd(1), make_eventfd(1)};
  std::array<WatchId, 2> ids{};
  int calls = 0;
  for (size_t i = 0; i < 2; ++i) {
    ids[i] = loop_->watch(fds[i].get(), [&, i] {
      ++calls;
      loop_->unwatch(ids[1 - i]);
      loop_->unwatch(ids[i]);
    });
  }
  EXPECT_TRUE(run_until([&] { return calls > 0; }));
  run_out();
  EXPECT_EQ(calls, 1);
}

TEST_P(Watching, NeverCallsAnOldHandlerForANewDescriptorOfTheSameNumber) {
  std::array fds{make_eventfd(1), make_eventfd(1)};
  std::array<WatchId, 2> ids{};
  int old_calls = 0;
  int new_calls = 0;
  for (size_t i = 0; i < 2; ++i) {
    ids[i] = loop_->watch(fds[i].get(), [&, i] {
      ++old_calls;
      loop_->unwatch(ids[i]);
      // The other one is ready in this very run; its number goes to another file, ready as well.
      UniqueFd& other = fds[1 - i];
      const int number = other.get();
      loop_->unwatch(ids[1 - i]);
      UniqueFd fresh = make_eventfd(1);
      ASSERT_EQ(::dup3(fresh.get(), number, O_CLOEXEC), number);
      loop_->watch_doorbell(number, [&] { ++new_calls; });
    });
  }
  EXPECT_TRUE(run_until([&] { return new_calls == 1; }));
  run_out();
  EXPECT_EQ(old_calls, 1);
  EXPECT_EQ(new_calls, 1);
}

TEST_P(Watching, LetsGoOfTheFileAtOnceWhenUnwatched) {
  auto [ours, theirs] = make_socket_pair();
  const WatchId id = loop_->watch(ours.get(), [] {});
  run_out();
  loop_->unwatch(id);
  ours.reset();
  // No run() in between: the peer sees the end of it now, or a worker that is busy keeps it waiting.
  char byte = 0;
  EXPECT_EQ(::recv(theirs.get(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_P(Watching, UnwatchingASpentIdDoesNothing) {
  const UniqueFd ready = make_eventfd(1);
  const WatchId first = loop_->watch(ready.get(), [] {});
  loop_->unwatch(first);
  int calls = 0;
  loop_->watch(ready.get(), [&] { ++calls; });
  loop_->unwatch(first);
  EXPECT_TRUE(run_until([&] { return calls > 0; }));
}

TEST_P(Watching, ManyThatStayReadyNeitherKeepARunFromEndingNorStarveEachOther) {
  // More than one batch of either backend, more than the ring has entries.
  constexpr size_t kMany = 400;
  std::vector<UniqueFd> fds;
  std::vector<int> calls(kMany, 0);
  for (size_t i = 0; i < kMany; ++i) {
    fds.push_back(make_eventfd(1));
    ASSERT_TRUE(fds.back());
    loop_->watch(fds.back().get(), [&calls, i] { ++calls[i]; });
  }
  EXPECT_TRUE(run_until([&] { return std::ranges::all_of(calls, [](int n) { return n >= 2; }); }));
}

TEST_P(Watching, ReturnsWithNothingWhenTheTimeIsUp) {
  const UniqueFd silent = make_eventfd();
  loop_->watch(silent.get(), [] { FAIL(); });
  EXPECT_EQ(loop_->run(0), 0U);
  const int64_t start = EventLoop::monotonic_ns();
  size_t handled = 0;
  while (EventLoop::monotonic_ns() < start + 20 * kMsNs) handled += loop_->run(20 * kMsNs);
  EXPECT_EQ(handled, 0U);
}

TEST_P(Watching, CountsTheHandlersThatRan) {
  const UniqueFd first = make_eventfd(1);
  const UniqueFd second = make_eventfd(1);
  loop_->watch_doorbell(first.get(), [] {});
  loop_->watch_doorbell(second.get(), [] {});
  EXPECT_TRUE(run_until([&] { return handled_ >= 2; }));
  run_out();
  EXPECT_EQ(handled_, 2U);
}

using WatchingDeathTest = Watching;
PQD_OVER_BOTH_BACKENDS(WatchingDeathTest);

TEST_P(WatchingDeathTest, AHandlerThatRunsTheLoopAgainAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        loop_->arm_timer(0, [this] { loop_->run(0); });
        loop_->run(0);
      },
      "run\\(\\) called by a handler");
}

}  // namespace
}  // namespace pqd::loop_test
