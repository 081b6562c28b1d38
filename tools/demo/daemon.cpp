#include "tools/demo/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <fstream>

#include "bindings/cpp/deadline.h"

namespace pqd::demo {
namespace {

constexpr auto kReadyWithin = std::chrono::seconds(30);
constexpr auto kStopWithin = std::chrono::seconds(20);
constexpr std::string_view kReadyLine = "pqd is ready: PQD_SOCKET=";

// Room for every file at once, no job ever too old, and no wait before a dead consumer's jobs are tried
// again.
constexpr std::string_view kConfiguration = R"(# What the demonstration runs with.
[daemon]
log_level = "info"

[queue.hash]
max_depth = 10000000
max_active = 0
queue_timeout = 0
backoff = "50ms"
)";

std::string word_of_file(const std::string& path) {
  std::ifstream in(path);
  std::string word;
  in >> word;
  return word;
}

}  // namespace

std::expected<Daemon, std::string> Daemon::start(const std::string& program, const Scratch& scratch) {
  const std::string config = scratch.file("pqd.toml");
  std::ofstream out(config);
  out << kConfiguration;
  out.close();
  if (!out) return std::unexpected("cannot write " + config + ": " + ::strerror(errno));
  const std::string log = scratch.file("pqd.log");
  const UniqueFd errors(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  auto output = make_pipe();
  if (!output) return std::unexpected(output.error());
  ::fcntl(output->read.get(), F_SETFL, O_NONBLOCK);
  auto child = Child::start({program, "--dev", "--dir", scratch.file("pqd"), "--config", config},
                            {-1, output->write.get(), errors.get()}, SIGTERM);
  if (!child) return std::unexpected(child.error());
  return Daemon(std::move(*child), std::move(output->read), log);
}

std::expected<void, std::string> Daemon::wait_until_ready(Signals& signals) {
  const Deadline deadline = Deadline::in(kReadyWithin);
  while (!deadline.passed()) {
    std::array<pollfd, 2> fds{{{output_.get(), POLLIN, 0}, {signals.fd(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), static_cast<int>(deadline.left().count()));
    if (signals.asked() != 0) return std::unexpected("stopped before pqd was ready");
    std::array<char, 4096> piece;
    const ssize_t got = ::read(output_.get(), piece.data(), piece.size());
    if (got > 0) said_.append(piece.data(), static_cast<size_t>(got));
    if (got == 0) {
      return std::unexpected("pqd ended before it was ready" +
                             (child_.status() ? ": " + describe_status(*child_.status()) : ""));
    }
    const size_t at = said_.find(kReadyLine);
    const size_t end = at == std::string::npos ? at : said_.find('\n', at);
    if (end == std::string::npos) continue;
    socket_ = said_.substr(at + kReadyLine.size(), end - at - kReadyLine.size());
    return {};
  }
  return std::unexpected("pqd is not ready after 30 s");
}

pid_t Daemon::engine() {
  const std::string pid = std::to_string(child_.pid());
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; children >> child;) {
    if (word_of_file("/proc/" + std::to_string(child) + "/comm") == "pqd-engine") return child;
  }
  return 0;
}

std::expected<pid_t, std::string> Daemon::kill_engine() {
  const pid_t pid = engine();
  // Held by a descriptor, so that the signal cannot meet another process that got the number meanwhile.
  const UniqueFd process(pid == 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || engine() != pid) return std::unexpected("pqd has no engine to kill");
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0)
    return std::unexpected(std::string("cannot kill the engine: ") + ::strerror(errno));
  return pid;
}

std::expected<void, std::string> Daemon::stop() {
  child_.signal(SIGTERM);
  const Deadline deadline = Deadline::in(kStopWithin);
  // Its output ends with it.
  for (std::array<char, 4096> piece; child_.running() && !deadline.passed();) {
    pollfd fd{output_.get(), POLLIN, 0};
    ::poll(&fd, 1, 100);
    if (fd.revents != 0 && ::read(output_.get(), piece.data(), piece.size()) == 0) ::poll(nullptr, 0, 10);
  }
  if (child_.running()) return std::unexpected("pqd does not stop when told to");
  if (child_.status() != 0) return std::unexpected("pqd ended with " + describe_status(*child_.status()));
  return {};
}

void Daemon::end() {
  const pid_t pid = engine();
  const UniqueFd process(pid == 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (const auto stopped = stop(); !stopped) child_.kill_and_reap();
  // The kernel kills it with pqd, but its files go only when it is gone.
  pollfd fd{process.get(), POLLIN, 0};
  if (process) ::poll(&fd, 1, 5'000);
}

}  // namespace pqd::demo
