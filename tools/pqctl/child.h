// A command that works on a job, or a batch of them: its process group, its three pipes, what it has said.
// Nothing here blocks; whoever owns it polls the descriptors and calls pump() and reap(). A child that is
// dropped before it ended is killed. One thread.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "shm/unique_fd.h"
#include "tools/pqctl/complaint.h"

namespace pqd::ctl {

class Child {
 public:
  static constexpr size_t kOutputBytesMax = 64 * 1024;
  static constexpr size_t kErrorTailBytes = 900;

  // `input` must stay valid while the child lives; of its output no more than `output_bytes_max` is kept.
  // REQUIRES: command is not empty, and SIGPIPE is ignored here (the child gets it back).
  static Checked<Child> spawn(const std::vector<std::string>& command,
                              const std::vector<std::string>& environment, ByteView input,
                              size_t output_bytes_max = kOutputBytesMax);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  void add_poll_fds(std::vector<pollfd>& fds) const;
  // Moves what can be moved: its input, its output, its errors (which also go to our stderr).
  void pump();
  // The wait status, once it has ended; everything that it said is here by then.
  std::optional<int> reap();
  // To its whole process group.
  void signal(int number);

  const std::string& output() const { return output_; }
  bool output_too_long() const { return output_too_long_; }
  std::string_view error_tail() const;

 private:
  Child() = default;
  void pump_input();
  void pump_output();
  void pump_errors();

  pid_t pid_ = -1;  // -1: none, or reaped
  UniqueFd input_fd_;
  UniqueFd output_fd_;
  UniqueFd errors_fd_;
  ByteView input_;
  std::string output_;
  std::string errors_;
  size_t output_bytes_max_ = kOutputBytesMax;
  bool output_too_long_ = false;
};

// "exit 3" or "killed by signal 9 (Killed)".
std::string status_text(int status);

// The file that `command` names, looked for along PATH as a shell does; nothing if there is none to execute.
std::optional<std::string> find_program(const std::string& command);

}  // namespace pqd::ctl
