#include "tools/pqctl/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

constexpr int kReadsAtOnce = 16;  // so that one chatty child does not hold up the others

struct Pipe {
  UniqueFd ours;
  UniqueFd theirs;
};

// Only our end does not block: each end has a description of its own.
std::optional<Pipe> make_pipe(bool we_write) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return std::nullopt;
  Pipe pipe{UniqueFd(fds[we_write ? 1 : 0]), UniqueFd(fds[we_write ? 0 : 1])};
  if (::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK) != 0) return std::nullopt;
  return pipe;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// A process group of its own (Ctrl-C is for us, who let it finish), signals as a shell would give them.
int spawn_with(pid_t& pid, const std::vector<std::string>& command,
               const std::vector<std::string>& environment, const std::array<int, 3>& fds) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  for (int target = 0; target < 3; ++target) {
    ::posix_spawn_file_actions_adddup2(&actions, fds[static_cast<size_t>(target)], target);
  }
  sigset_t none, defaults;
  ::sigemptyset(&none);
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const auto arguments = pointers(command);
  const auto variables = pointers(environment);
  const int error = ::posix_spawnp(&pid, command.front().c_str(), &actions, &attributes, arguments.data(),
                                   variables.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Bytes read; 0 = nothing at the moment; the descriptor is closed at the end of the stream.
size_t read_some(UniqueFd& fd, std::array<char, 16 * 1024>& buffer) {
  if (!fd) return 0;
  const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
  if (count > 0) return static_cast<size_t>(count);
  if (count == 0 || (errno != EAGAIN && errno != EINTR)) fd.reset();
  return 0;
}

}  // namespace

Checked<Child> Child::spawn(const std::vector<std::string>& command,
                            const std::vector<std::string>& environment, ByteView input,
                            size_t output_bytes_max, Input then) {
  auto in = make_pipe(true);
  auto out = make_pipe(false);
  auto errors = make_pipe(false);
  if (!in || !out || !errors) return complain(kExitFailed, "no pipe for the command: " + errno_text(errno));
  Child child;
  const std::array<int, 3> fds{in->theirs.get(), out->theirs.get(), errors->theirs.get()};
  if (const int error = spawn_with(child.pid_, command, environment, fds); error != 0) {
    child.pid_ = -1;
    return complain(kExitFailed, "cannot run " + command.front() + ": " + errno_text(error));
  }
  child.input_fd_ = std::move(in->ours);
  child.output_fd_ = std::move(out->ours);
  child.errors_fd_ = std::move(errors->ours);
  child.input_ = input;
  child.output_bytes_max_ = output_bytes_max;
  child.input_stays_open_ = then == Input::kStaysOpen;
  child.pump_input();
  return child;
}

Child::Child(Child&& other) noexcept { *this = std::move(other); }

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(input_fd_, other.input_fd_);
  std::swap(input_stays_open_, other.input_stays_open_);
  std::swap(unread_at_end_, other.unread_at_end_);
  std::swap(output_fd_, other.output_fd_);
  std::swap(errors_fd_, other.errors_fd_);
  std::swap(input_, other.input_);
  std::swap(output_, other.output_);
  std::swap(errors_, other.errors_);
  std::swap(unshown_, other.unshown_);
  std::swap(output_bytes_max_, other.output_bytes_max_);
  std::swap(output_too_long_, other.output_too_long_);
  return *this;
}

Child::~Child() {
  if (pid_ <= 0) return;
  signal(SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Child::add_poll_fds(std::vector<pollfd>& fds) const {
  if (input_fd_ && !input_.empty()) fds.push_back({input_fd_.get(), POLLOUT, 0});
  if (output_fd_) fds.push_back({output_fd_.get(), POLLIN, 0});
  if (errors_fd_) fds.push_back({errors_fd_.get(), POLLIN, 0});
}

void Child::pump() {
  pump_input();
  pump_output();
  pump_errors();
}

void Child::pump_input() {
  while (input_fd_ && !input_.empty()) {
    const ssize_t count = ::write(input_fd_.get(), input_.data(), input_.size());
    if (count > 0) input_ = input_.subspan(static_cast<size_t>(count));
    if (count >= 0 || errno == EINTR) continue;
    if (errno == EAGAIN) return;
    input_ = {};  // it does not want the rest
    return input_fd_.reset();
  }
  if (!input_stays_open_) input_fd_.reset();
}

bool Child::give(ByteView input) {
  errors_.clear();
  input_ = input;
  pump_input();
  return static_cast<bool>(input_fd_);
}

void Child::close_input() {
  input_ = {};
  input_fd_.reset();
}

size_t Child::unread() const {
  int waiting = 0;
  if (!input_fd_ || ::ioctl(input_fd_.get(), FIONREAD, &waiting) != 0) return unread_at_end_;
  return input_.size() + static_cast<size_t>(waiting);
}

std::optional<std::string_view> Child::line() const {
  const size_t end = output_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  return std::string_view(output_).substr(0, end);
}

void Child::drop_line() { output_.erase(0, output_.find('\n') + 1); }

void Child::pump_output() {
  std::array<char, 16 * 1024> buffer;
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const size_t count = read_some(output_fd_, buffer);
    if (count == 0) return;
    output_too_long_ |= output_.size() + count > output_bytes_max_;
    if (!output_too_long_) output_.append(buffer.data(), count);
  }
}

void Child::pump_errors() {
  std::array<char, 16 * 1024> buffer;
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const size_t count = read_some(errors_fd_, buffer);
    if (count == 0) return;
    errors_.append(buffer.data(), count);
    if (errors_.size() > 2 * kErrorTailBytes) errors_.erase(0, errors_.size() - kErrorTailBytes);
    show_errors({buffer.data(), count});
  }
}

// Commands quote what their jobs say, and have no terminal that they could have meant colours for.
void Child::show_errors(std::string_view text) {
  std::string tame;
  if (::isatty(STDERR_FILENO) == 1) {
    unshown_ += text;
    const size_t whole = whole_bytes(unshown_);
    tame = harmless(std::string_view(unshown_).substr(0, whole));
    unshown_.erase(0, whole);
    text = tame;
  }
  [[maybe_unused]] const ssize_t shown = ::write(STDERR_FILENO, text.data(), text.size());
}

std::string_view Child::error_tail() const {
  std::string_view tail = tail_of(errors_, kErrorTailBytes);
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == ' ')) tail.remove_suffix(1);
  return tail;
}

std::optional<int> Child::reap() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  // A grandchild may keep the pipes open: what counts is what was written until now.
  while (output_fd_ || errors_fd_) {
    const size_t before = output_.size() + errors_.size();
    const bool was_too_long = output_too_long_;
    pump_output();
    pump_errors();
    if (before == output_.size() + errors_.size() || was_too_long) break;
  }
  unread_at_end_ = unread();
  input_fd_.reset();
  return status;
}

void Child::signal(int number) {
  if (pid_ > 0) ::kill(-pid_, number);
}

std::string status_text(int status) {
  if (!WIFSIGNALED(status)) return "exit " + std::to_string(WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  return "killed by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
}

std::optional<std::string> find_program(const std::string& command) {
  const auto executable = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (command.find('/') != std::string::npos)
    return executable(command) ? std::optional(command) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    const std::string file = (folder.empty() ? std::string(".") : std::string(folder)) + "/" + command;
    if (executable(file)) return file;
  }
  return std::nullopt;
}

}  // namespace pqd::ctl
