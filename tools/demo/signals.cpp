#include "tools/demo/signals.h"

#include <signal.h>
#include <sys/signalfd.h>

namespace pqd::demo {

Signals::Signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::sigaddset(&set, number);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int Signals::asked() {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo != SIGCHLD) asked_ = static_cast<int>(info.ssi_signo);
  }
  return asked_;
}

}  // namespace pqd::demo
