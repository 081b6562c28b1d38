// The end after a failed write: nothing more is acknowledged, the process ends at once, and the supervisor
// starts the next engine, which recovers. Any thread.
#pragma once

#include "daemon/store/store_error.h"

namespace pqd {

[[noreturn]] void fail_stop(const StoreError& error);

}  // namespace pqd
