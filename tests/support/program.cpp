#include "tests/support/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr int kCannotRun = 127;
constexpr size_t kPidDigits = 12;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> merged(const std::vector<std::string>& wanted) {
  std::vector<std::string> all;
  for (const std::string& variable : wanted) {
    if (variable.find('=') != std::string::npos) all.push_back(variable);
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::string name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const std::string& ours : wanted) replaced |= ours == name || ours.starts_with(name + "=");
    if (!replaced) all.push_back(text);
  }
  return all;
}

bool redirect(int to, const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags, 0600);
  return fd >= 0 && ::dup2(fd, to) == to && ::close(fd) == 0;
}

// They are all above those that they become first, so that none is closed before its turn.
bool hand_over(const std::vector<int>& descriptors) {
  std::vector<int> moved;
  const int free_from = 3 + static_cast<int>(descriptors.size());
  for (const int fd : descriptors) moved.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, free_from));
  int number = 3;
  for (const int fd : moved)
    if (::dup2(fd, number++) < 0) return false;
  return true;
}

// Into a text that was left for it: only the child knows.
void write_pid(char* text) {
  std::array<char, kPidDigits> digits{};
  size_t count = 0;
  for (pid_t left = ::getpid(); left != 0; left /= 10) digits[count++] = static_cast<char>('0' + left % 10);
  for (size_t i = 0; i < count; ++i) text[i] = digits[count - 1 - i];
  text[count] = '\0';
}

}  // namespace

Program::Program(std::vector<std::string> words, std::vector<std::string> environment, std::string input,
                 const std::vector<int>& descriptors) {
  write_file(dir_.path("in"), input);
  if (!descriptors.empty()) environment.push_back("LISTEN_PID=" + std::string(kPidDigits, ' '));
  environment = merged(environment);
  char* pid_text = nullptr;
  for (std::string& variable : environment)
    if (variable.starts_with("LISTEN_PID= ")) pid_text = variable.data() + std::strlen("LISTEN_PID=");
  const auto arguments = pointers(words);
  const auto variables = pointers(environment);
  const std::string in = dir_.path("in"), out = dir_.path("out"), err = dir_.path("err");
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) {
    ADD_FAILURE() << "cannot fork";
    ended_ = true;
  }
  if (pid_ != 0) return;
  constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == parent && redirect(0, in, O_RDONLY) && redirect(1, out, kAppend) &&
      redirect(2, err, kAppend) && hand_over(descriptors)) {
    if (pid_text != nullptr) write_pid(pid_text);
    ::execvpe(arguments[0], arguments.data(), variables.data());
  }
  ::_exit(kCannotRun);
}

Program::~Program() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Program::running() {
  if (!ended_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
  return !ended_;
}

int Program::wait() {
  if (!eventually([this] { return !running(); })) {
    ADD_FAILURE() << "the program did not end; it said:\n" << out() << err();
    signal(SIGKILL);
    ::waitpid(pid_, &status_, 0);
    ended_ = true;
  }
  return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

void Program::signal(int number) {
  if (running()) ::kill(pid_, number);
}

std::string Program::out() const { return read_file(dir_.path("out")); }
std::string Program::err() const { return read_file(dir_.path("err")); }

bool Program::says(const std::string& text) {
  const auto said = [&] { return (out() + err()).find(text) != std::string::npos; };
  eventually([&] { return said() || !running(); });
  return said();
}

Ran run(std::vector<std::string> words, std::vector<std::string> environment, std::string input) {
  Program program(std::move(words), std::move(environment), std::move(input));
  const int exit = program.wait();
  return {exit, program.out(), program.err()};
}

}  // namespace pqd::test
