// A command that works on a job, on a batch of them, or on one job after the other: its process group, its
// three pipes, what it has said. Nothing here blocks; whoever owns it polls the descriptors and calls pump()
// and reap(). A child that is dropped before it ended is killed. One thread.
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

  enum class Input : uint8_t { kEnds, kStaysOpen };

  // `input` must stay valid until it was taken, or the child is dropped; of its output no more than
  // `output_bytes_max` is kept.
  // REQUIRES: command is not empty, and SIGPIPE is ignored here (the child gets it back).
  static Checked<Child> spawn(const std::vector<std::string>& command,
                              const std::vector<std::string>& environment, ByteView input,
                              size_t output_bytes_max = kOutputBytesMax, Input then = Input::kEnds);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  void add_poll_fds(std::vector<pollfd>& fds) const;
  // Moves what can be moved: its input, its output, its errors (which also go to our stderr, harmless()
  // if that is a terminal).
  void pump();
  // The wait status, once it has ended; everything that it said is here by then.
  std::optional<int> reap();
  // To its whole process group.
  void signal(int number);

  // Of a child whose input stays open, and that has taken what it had been given. Forgets its former errors.
  // False: it reads no more, and has seen nothing of this.
  bool give(ByteView input);
  void close_input();
  bool input_taken() const { return input_.empty(); }
  // Bytes of its input that it has not read, as it stands or, once reaped, stood at its end.
  size_t unread() const;

  const std::string& output() const { return output_; }
  // The first line of the output, without its newline; nothing until there is a whole one.
  std::optional<std::string_view> line() const;
  void drop_line();
  bool output_too_long() const { return output_too_long_; }
  std::string_view error_tail() const;

 private:
  Child() = default;
  void pump_input();
  void pump_output();
  void pump_errors();
  void show_errors(std::string_view text);

  pid_t pid_ = -1;  // -1: none, or reaped
  UniqueFd input_fd_;
  bool input_stays_open_ = false;
  size_t unread_at_end_ = 0;
  UniqueFd output_fd_;
  UniqueFd errors_fd_;
  ByteView input_;
  std::string output_;
  std::string errors_;
  std::string unshown_;  // a character that has only begun
  size_t output_bytes_max_ = kOutputBytesMax;
  bool output_too_long_ = false;
};

// "exit 3" or "killed by signal 9 (Killed)".
std::string status_text(int status);

// The file that `command` names, looked for along PATH as a shell does; nothing if there is none to execute.
std::optional<std::string> find_program(const std::string& command);

}  // namespace pqd::ctl
