#include "shm/doorbell.h"

#include <poll.h>
#include <unistd.h>

#include "shm/crash_point.h"

namespace pqd {
namespace {

// A failed write has no cure here: EAGAIN means that it is readable already, anything else that the session
// is being torn down.
void write_event(int event_fd) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_fd, &one, sizeof one);
}

}  // namespace

void EngineBell::ring(uint32_t word) {
  rung_ = word;
  PQD_CRASH_POINT("engine-found-asleep");
  write_event(event_fd_);
  PQD_CRASH_POINT("engine-rung");
}

Sleeper::Sleeper(WakePage& page) : page_(&page) {
  // relaxed: our own word; a predecessor's store came to us through its death.
  word_ = page.sleeping.load(std::memory_order_relaxed) | 1;
  disarm();
}

void ClientBell::ring(uint32_t word) {
  rung_ = word;
  PQD_CRASH_POINT("client-found-asleep");
  write_event(event_fd_);
  PQD_CRASH_POINT("client-rung");
}

bool Waiter::wait(int timeout_ms) {
  pollfd wanted{.fd = event_fd_, .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, timeout_ms) <= 0) return false;
  drain();
  return true;
}

void Waiter::drain() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = ::read(event_fd_, &count, sizeof count);
}

}  // namespace pqd
