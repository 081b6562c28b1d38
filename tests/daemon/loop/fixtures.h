// Every behaviour of the loop is tested over both backends.
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "daemon/loop/event_loop.h"
#include "shm/unique_fd.h"

namespace pqd::loop_test {

// A watchdog, not an expectation: far beyond anything that a busy machine needs.
constexpr int64_t kWatchdogNs = 30'000'000'000;
constexpr int64_t kMsNs = 1'000'000;

class LoopTest : public testing::TestWithParam<BackendChoice> {
 protected:
  void SetUp() override {
    auto made = EventLoop::create(GetParam());
    if (!made && GetParam() == BackendChoice::kUring) GTEST_SKIP() << "no io_uring here: " << made.error();
    ASSERT_TRUE(made) << made.error();
    loop_ = std::move(*made);
  }

  // Runs the loop, waiting in it, until `done`; false when the watchdog had to step in.
  bool run_until(const std::function<bool()>& done) {
    const int64_t end = EventLoop::monotonic_ns() + kWatchdogNs;
    while (!done()) {
      const int64_t left = end - EventLoop::monotonic_ns();
      if (left <= 0) return false;
      handled_ += loop_->run(left);
    }
    return true;
  }

  // Runs the loop until a pass finds nothing, at most `passes` times.
  void run_out(int passes = 100) {
    for (size_t handled = 1; passes > 0 && handled != 0; --passes) handled_ += handled = loop_->run(0);
  }

  std::unique_ptr<EventLoop> loop_;
  size_t handled_ = 0;  // what the runs above returned, in all
};

inline std::string backend_name(const testing::TestParamInfo<BackendChoice>& info) {
  return info.param == BackendChoice::kUring ? "Uring" : "Epoll";
}

#define PQD_OVER_BOTH_BACKENDS(suite)                                                                   \
  INSTANTIATE_TEST_SUITE_P(Backends, suite,                                                             \
                           testing::Values(::pqd::BackendChoice::kUring, ::pqd::BackendChoice::kEpoll), \
                           ::pqd::loop_test::backend_name)

inline UniqueFd make_eventfd(unsigned count = 0) {
  return UniqueFd(::eventfd(count, EFD_NONBLOCK | EFD_CLOEXEC));
}

inline void ring(int event_fd) {
  const uint64_t one = 1;
  if (::write(event_fd, &one, sizeof one) != sizeof one) std::abort();
}

inline std::pair<UniqueFd, UniqueFd> make_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// A child that does `work`, then ends with its result. Killed and reaped with the object, if still there.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<int()>& work) : pid_(::fork()) {
    if (pid_ == 0) ::_exit(work());
    if (pid_ < 0) std::abort();
  }
  ~ChildProcess() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void kill() { ::kill(pid_, SIGKILL); }
  // Somebody else has reaped it.
  void forget() { pid_ = -1; }
  // The exit code, or 128 and the signal.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

}  // namespace pqd::loop_test
