#include "tests/support/forked.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "tests/support/eventually.h"

namespace pqd::test {

Forked::Forked(const std::function<int(const Say& say)>& work) {
  std::array<int, 2> ends{};
  const pid_t parent = ::getpid();
  std::fflush(nullptr);  // so that the child has nothing of ours to write once more
  if (::pipe2(ends.data(), O_CLOEXEC) != 0 || (pid_ = ::fork()) < 0) {
    ADD_FAILURE() << "no pipe or no process";
    ended_ = true;
    return;
  }
  words_.reset(ends[0]);
  UniqueFd mouth(ends[1]);
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::_exit(work([&](const std::string& line) {
    const std::string text = line + "\n";
    if (::write(mouth.get(), text.data(), text.size()) < 0) ::_exit(1);
  }));
}

Forked::~Forked() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string Forked::hear() {
  for (;;) {
    if (const size_t end = heard_.find('\n'); end != std::string::npos) {
      const std::string line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      return line;
    }
    pollfd wanted{words_.get(), POLLIN, 0};
    std::array<char, 512> piece{};
    if (::poll(&wanted, 1, std::chrono::milliseconds(kWatchdog).count()) <= 0) return "";
    const ssize_t got = ::read(words_.get(), piece.data(), piece.size());
    if (got <= 0) return "";
    heard_.append(piece.data(), static_cast<size_t>(got));
  }
}

bool Forked::running() {
  if (!ended_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
  return !ended_;
}

void Forked::signal(int number) {
  if (running()) ::kill(pid_, number);
}

int Forked::wait() {
  if (!eventually([this] { return !running(); })) {
    ADD_FAILURE() << "the forked process did not end";
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
    ended_ = true;
  }
  return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

int Forked::kill_and_wait() {
  signal(SIGKILL);
  return wait();
}

}  // namespace pqd::test
