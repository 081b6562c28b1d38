#include "tools/demo/child.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <utility>

namespace pqd::demo {
namespace {

constexpr int kExecFailed = 127;

void become(int from, int to) {
  // A descriptor that already has its number keeps it, but not its close-on-exec.
  if (from == to) {
    ::fcntl(to, F_SETFD, 0);
  } else {
    ::dup2(from, to);
  }
}

// Runs in the child between fork and exec: system calls only.
[[noreturn]] void run(char* const* argv, ChildFiles files, int death_signal, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, death_signal);
  if (::getppid() != parent) ::_exit(kExecFailed);  // it died before the line above
  ::setpgid(0, 0);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  become(files.input < 0 ? null : files.input, 0);
  become(files.output < 0 ? null : files.output, 1);
  become(files.errors < 0 ? null : files.errors, 2);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execvp(argv[0], argv);
  ::_exit(kExecFailed);
}

}  // namespace

std::expected<Child, std::string> Child::start(const std::vector<std::string>& command, ChildFiles files,
                                               int death_signal) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) run(argv.data(), files, death_signal, parent);
  if (pid < 0) return std::unexpected("cannot start " + command[0] + ": " + ::strerror(errno));
  return Child(pid);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), status_(std::exchange(other.status_, std::nullopt)) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  kill_and_reap();
  pid_ = std::exchange(other.pid_, 0);
  status_ = std::exchange(other.status_, std::nullopt);
  return *this;
}

bool Child::running() { return pid_ > 0 && !status(); }

std::optional<int> Child::status() {
  int status = 0;
  if (pid_ > 0 && !status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_;
}

void Child::signal(int number) {
  // The number stays the child's until it is reaped, which only status() does.
  if (running()) ::kill(pid_, number);
}

void Child::kill_and_reap() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  status_ = status;
}

std::string describe_status(int status) {
  if (WIFSIGNALED(status))
    return "signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")";
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

std::expected<Pipe, std::string> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(std::string("no pipe: ") + ::strerror(errno));
  // Room for what comes while nobody reads; without it the default does too.
  ::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace pqd::demo
