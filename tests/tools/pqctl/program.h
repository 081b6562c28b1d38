// A program that a test runs: its output in files, its end under a watchdog. Killed when dropped.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pqd::test {

// A directory of its own, gone at the end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Program {
 public:
  // `words`: the program and its arguments. `environment`: "NAME=value", over our own.
  Program(std::vector<std::string> words, std::vector<std::string> environment = {}, std::string input = {});
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
Ran run(std::vector<std::string> words, std::vector<std::string> environment = {}, std::string input = {});

}  // namespace pqd::test
