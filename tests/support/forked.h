// A process that runs a piece of the test's own code: a consumer that is killed in the middle, a client of
// its own. Killed when dropped, and when the test's process dies. Owner: one thread, which must outlive it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "shm/unique_fd.h"

namespace pqd::test {

class Forked {
 public:
  // The child's way to tell its parent something.
  using Say = std::function<void(const std::string& line)>;

  // The child does `work` and ends with its result by _exit(): no destructor of the parent's objects, no
  // gtest, no leak check.
  explicit Forked(const std::function<int(const Say& say)>& work);
  ~Forked();
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;

  pid_t pid() const { return pid_; }
  // The next line that it said; "" when it ended or the watchdog barked before.
  std::string hear();
  bool running();
  void signal(int number);
  // The exit code, or 128 + the signal's number; fails the test when the watchdog ends it.
  int wait();
  int kill_and_wait();  // by SIGKILL

 private:
  UniqueFd words_;
  std::string heard_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace pqd::test
