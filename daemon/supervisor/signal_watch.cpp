#include "daemon/supervisor/signal_watch.h"

#include <sys/signalfd.h>

#include <array>
#include <csignal>

namespace pqd {
namespace {

constexpr std::array kSignals{SIGTERM, SIGINT, SIGHUP};

sigset_t signal_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kSignals) sigaddset(&set, signal);
  return set;
}

}  // namespace

std::expected<SignalWatch, SysError> SignalWatch::create() {
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = signal_set();
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return std::unexpected(SysError::last("sigprocmask"));
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return std::unexpected(SysError::last("signalfd"));
  return SignalWatch(std::move(fd));
}

void SignalWatch::leave_to_parent() {
  // Ignored before they are let through, so that one that waits already does not end the child.
  for (const int signal : kSignals) std::signal(signal, SIG_IGN);
  const sigset_t set = signal_set();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void SignalWatch::listen(EventLoop& loop, Handler handler) {
  loop.watch(fd_.get(), [fd = fd_.get(), handler = std::move(handler)] {
    signalfd_siginfo info{};
    while (::read(fd, &info, sizeof info) == sizeof info) handler(static_cast<int>(info.ssi_signo));
  });
}

}  // namespace pqd
