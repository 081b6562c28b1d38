// One line that says how far a long command is: on a terminal only, a few times a second at most. It moves no
// cursor but its own and changes no terminal setting, so that nothing has to be put back when it is
// interrupted.
#pragma once

#include <chrono>
#include <string_view>

namespace pqd::ctl {

class Progress {
 public:
  explicit Progress(int fd);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // True when the next show() will be seen: saves putting a line together for nothing.
  bool due() const;
  void show(std::string_view line);
  void clear();

 private:
  void write(std::string_view text);

  int fd_;
  bool on_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace pqd::ctl
