// A process that this one started, and that does not outlive it. Owner: one thread.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "shm/unique_fd.h"

namespace pqd::demo {

// Descriptors that become the child's 0, 1 and 2; -1 = /dev/null. They stay the caller's.
struct ChildFiles {
  int input = -1;
  int output = -1;
  int errors = -1;
};

class Child {
 public:
  Child() = default;
  // In a process group of its own, so that Ctrl-C reaches this process alone. `death_signal` is what it gets
  // when this process dies. The error is a sentence.
  static std::expected<Child, std::string> start(const std::vector<std::string>& command, ChildFiles files,
                                                 int death_signal);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child() { kill_and_reap(); }

  pid_t pid() const { return pid_; }
  bool running();  // false also for what was never started
  // As waitpid() says it; nothing while it runs or when it was never started.
  std::optional<int> status();
  void signal(int number);
  void kill_and_reap();

 private:
  explicit Child(pid_t pid) : pid_(pid) {}

  pid_t pid_ = 0;
  std::optional<int> status_;
};

// "exit status 3", "signal 9 (Killed)".
std::string describe_status(int status);

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};
// Both ends close on exec. The error is a sentence.
std::expected<Pipe, std::string> make_pipe();

}  // namespace pqd::demo
