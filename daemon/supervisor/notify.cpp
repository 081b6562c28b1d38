#include "daemon/supervisor/notify.h"

#include <unistd.h>

#include "daemon/supervisor/environment.h"

namespace pqd {
namespace {

int64_t watchdog_ns() {
  const auto pid = number_in_environment("WATCHDOG_PID");
  if (pid && *pid != ::getpid()) return 0;
  const int64_t usec = number_in_environment("WATCHDOG_USEC").value_or(0);
  // A third of what is allowed: one late turn is no failure.
  return usec > 0 && usec < INT64_MAX / 1000 ? usec * 1000 / 3 : 0;
}

}  // namespace

Notify::Notify(NotifySocket& socket) : socket_(socket), watchdog_interval_ns_(socket ? watchdog_ns() : 0) {}

}  // namespace pqd
