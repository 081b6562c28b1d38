// A program that a test runs: its output in files, its end under a watchdog. Killed when dropped, and when
// the test's process dies. Owner: one thread, which must outlive it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace pqd::test {

class Program {
 public:
  // `words`: the program and its arguments. `environment`: "NAME=value", over our own; "NAME" removes it.
  // `descriptors`: become 3, 4 ... of the program, with LISTEN_PID beside them; those stay the caller's.
  explicit Program(std::vector<std::string> words, std::vector<std::string> environment = {},
                   std::string input = {}, const std::vector<int>& descriptors = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // The exit code, 128 + the signal's number when killed; fails the test when the watchdog ends it.
  int wait();
  void signal(int number);
  bool running();
  pid_t pid() const { return pid_; }
  std::string out() const;
  std::string err() const;
  // Until stdout or stderr holds the text; false when the program ends or the watchdog barks before.
  bool says(const std::string& text);

 private:
  TempDir dir_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};
// To its end.
Ran run(std::vector<std::string> words, std::vector<std::string> environment = {}, std::string input = {});

}  // namespace pqd::test
