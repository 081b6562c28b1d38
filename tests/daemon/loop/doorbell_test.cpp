#include <fcntl.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "daemon/loop/uring_ring.h"
#include "tests/daemon/loop/fixtures.h"

namespace pqd::loop_test {
namespace {

class Doorbells : public LoopTest {};
PQD_OVER_BOTH_BACKENDS(Doorbells);

TEST_P(Doorbells, AreDrainedSoThatOneRingIsOneCall) {
  const UniqueFd bell = make_eventfd();
  int calls = 0;
  loop_->watch_doorbell(bell.get(), [&] { ++calls; });
  run_out();
  for (int rings = 1; rings <= 3; ++rings) {
    ring(bell.get());
    EXPECT_TRUE(run_until([&] { return calls == rings; }));
    run_out();
    EXPECT_EQ(calls, rings);
  }
}

TEST_P(Doorbells, RungBeforeTheyWereWatchedAreHeard) {
  const UniqueFd bell = make_eventfd(7);
  int calls = 0;
  loop_->watch_doorbell(bell.get(), [&] { ++calls; });
  EXPECT_TRUE(run_until([&] { return calls == 1; }));
}

TEST_P(Doorbells, RungByTheirOwnHandlerAreHeard) {
  const UniqueFd bell = make_eventfd(1);
  int calls = 0;
  loop_->watch_doorbell(bell.get(), [&] {
    if (++calls < 10) ring(bell.get());
  });
  EXPECT_TRUE(run_until([&] { return calls == 10; }));
}

// Only the handler looks at what was produced: a lost last ring would leave it behind for ever.
TEST_P(Doorbells, AThousandRingsFromAnotherThreadAreNeverLost) {
  constexpr int kRings = 1000;
  const UniqueFd bell = make_eventfd();
  std::atomic<int> produced = 0;
  int seen = 0;
  loop_->watch_doorbell(bell.get(), [&] { seen = produced.load(std::memory_order_acquire); });
  std::thread producer([&] {
    for (int i = 0; i < kRings; ++i) {
      produced.fetch_add(1, std::memory_order_release);
      ring(bell.get());
      if (i % 50 == 0) std::this_thread::yield();
    }
  });
  EXPECT_TRUE(run_until([&] { return seen == kRings; }));
  producer.join();
}

// Ping-pong: each ring has to be heard before there is a next one.
TEST_P(Doorbells, EachSingleRingWakesASleepingLoop) {
  constexpr int kRounds = 1000;
  const UniqueFd bell = make_eventfd();
  std::atomic<int> heard = 0;
  loop_->watch_doorbell(bell.get(), [&] {
    heard.fetch_add(1);
    heard.notify_one();
  });
  std::thread producer([&] {
    for (int i = 0; i < kRounds; ++i) {
      ring(bell.get());
      heard.wait(i);
    }
  });
  EXPECT_TRUE(run_until([&] { return heard.load() >= kRounds; }));
  producer.join();
}

TEST_P(Doorbells, ManyOfThemRungByManyThreadsAreAllHeard) {
  constexpr size_t kBells = 40;
  constexpr int kRings = 200;
  std::vector<UniqueFd> bells;
  std::array<std::atomic<int>, kBells> produced{};
  std::array<int, kBells> seen{};
  for (size_t i = 0; i < kBells; ++i) {
    bells.push_back(make_eventfd());
    loop_->watch_doorbell(bells.back().get(), [&, i] { seen[i] = produced[i].load(); });
  }
  std::vector<std::thread> producers;
  for (size_t first = 0; first < 4; ++first) {
    producers.emplace_back([&, first] {
      for (int n = 0; n < kRings; ++n) {
        for (size_t i = first; i < kBells; i += 4) {
          produced[i].fetch_add(1);
          ring(bells[i].get());
        }
      }
    });
  }
  EXPECT_TRUE(run_until([&] { return std::ranges::all_of(seen, [](int n) { return n == kRings; }); }));
  for (auto& producer : producers) producer.join();
}

// On io_uring the completion queue overflows; older kernels disarm polls that were to stay armed.
TEST_P(Doorbells, MoreThanTheCompletionQueueHoldsAreAllHeardAgainAndAgain) {
  constexpr size_t kBells = 1500;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, 2 * kBells);
  if (limit.rlim_cur > limit.rlim_max) GTEST_SKIP() << "too few descriptors allowed";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  {
    std::vector<UniqueFd> bells;
    std::vector<int> calls(kBells, 0);
    for (size_t i = 0; i < kBells; ++i) {
      bells.push_back(make_eventfd());
      ASSERT_TRUE(bells.back());
      loop_->watch_doorbell(bells.back().get(), [&calls, i] { ++calls[i]; });
    }
    run_out();
    for (int round = 1; round <= 3; ++round) {
      for (const UniqueFd& bell : bells) ring(bell.get());
      EXPECT_TRUE(run_until([&] { return std::ranges::all_of(calls, [=](int n) { return n >= round; }); }));
    }
    loop_.reset();
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}

// The kernel disarms a multishot poll whose eventfd is rung by another ring's completions (it fears endless
// recursion), which any client can arrange for.
TEST_P(Doorbells, RungByAnIoUringOfSomebodyElseAreHeardAgainAndAgain) {
  io_uring other{};
  if (io_uring_queue_init(8, &other, 0) != 0) GTEST_SKIP() << "no io_uring here";
  const UniqueFd bell = make_eventfd();
  ASSERT_EQ(io_uring_register_eventfd(&other, bell.get()), 0);
  int calls = 0;
  loop_->watch_doorbell(bell.get(), [&] { ++calls; });
  run_out();
  for (int round = 0; round < 3; ++round) {
    const int before = calls;
    io_uring_prep_nop(io_uring_get_sqe(&other));
    io_uring_submit(&other);
    EXPECT_TRUE(run_until([&] { return calls > before; }));
    run_out();
  }
  io_uring_queue_exit(&other);
}

// A client holds the same open file. It may have made it blocking and emptied it after the loop was told.
TEST_P(Doorbells, SharedWithSomebodyHostileDoNotBlockTheLoop) {
  const UniqueFd bell(::eventfd(1, EFD_CLOEXEC));
  const UniqueFd same(::fcntl(bell.get(), F_DUPFD_CLOEXEC, 0));
  int calls = 0;
  // Both are ready in one run; the one that comes second finds the counter at zero, and the file blocking.
  const auto steal = [&] {
    ++calls;
    uint64_t count = 0;
    ASSERT_EQ(::fcntl(bell.get(), F_SETFL, O_NONBLOCK), 0);
    [[maybe_unused]] const ssize_t n = ::read(bell.get(), &count, sizeof count);
    ASSERT_EQ(::fcntl(bell.get(), F_SETFL, 0), 0);
  };
  loop_->watch_doorbell(bell.get(), steal);
  loop_->watch_doorbell(same.get(), steal);
  EXPECT_TRUE(run_until([&] { return calls >= 2; }));
}

class Waking : public LoopTest {};
PQD_OVER_BOTH_BACKENDS(Waking);

TEST_P(Waking, BeforeARunEndsItsWait) {
  loop_->wake();
  EXPECT_EQ(loop_->run(-1), 1U);
}

TEST_P(Waking, FromOtherThreadsIsNeverLost) {
  constexpr int kRounds = 1000;
  std::atomic<int> asked = 0;
  std::atomic<int> answered = 0;
  std::thread other([&] {
    for (int i = 1; i <= kRounds; ++i) {
      asked.store(i);
      loop_->wake();
      answered.wait(i - 1);
    }
  });
  for (int i = 1; i <= kRounds; ++i) {
    while (asked.load() < i) loop_->run(-1);
    answered.store(i);
    answered.notify_one();
  }
  other.join();
}

TEST_P(Waking, FromASignalHandlerEndsTheWait) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "TSan keeps a signal until the next call that it intercepts; neither backend's wait is one";
#endif
  static EventLoop* loop = nullptr;
  loop = loop_.get();
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) { loop->wake(); };
  action.sa_flags = SA_RESTART;
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  const pthread_t self = ::pthread_self();
  std::thread other([self] { ::pthread_kill(self, SIGUSR1); });
  EXPECT_TRUE(run_until([&] { return handled_ == 1; }));
  other.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace pqd::loop_test
