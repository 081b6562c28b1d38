#include "tools/pqctl/interrupt.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

namespace pqd::ctl {
namespace {

// Written by the handler. Lock-free, hence allowed there.
std::atomic<int> noted{0};
std::atomic<int> told{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void note(int number) {
  const int error = errno;
  noted.store(number, std::memory_order_relaxed);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(told.load(std::memory_order_relaxed), &one, sizeof one);
  errno = error;
}

}  // namespace

Interrupt::Interrupt() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  noted.store(0, std::memory_order_relaxed);
  told.store(fd_.get(), std::memory_order_relaxed);
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    // One that is ignored (nohup, a shell's background job) stays so.
    if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
      ::sigaction(number, &action, nullptr);
  }
}

Interrupt::~Interrupt() {
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler == note) std::signal(number, SIG_DFL);
  }
  told.store(-1, std::memory_order_relaxed);
}

int Interrupt::exit() const {
  const int number = noted.load(std::memory_order_relaxed);
  return number == 0 ? 0 : 128 + number;
}

}  // namespace pqd::ctl
