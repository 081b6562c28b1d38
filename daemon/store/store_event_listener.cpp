#include "daemon/store/store_event_listener.h"

#include "daemon/store/rocksdb_bytes.h"

namespace pqd {

void StoreEventListener::OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                                           rocksdb::Status* status) {
  fail(failure("background error", *status).error());
}

void StoreEventListener::fail(const StoreError& error) {
  const std::lock_guard lock(mutex_);
  if (failed_.load(std::memory_order_relaxed)) return;
  error_ = error;
  failed_.store(true, std::memory_order_release);
}

StoreError StoreEventListener::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

}  // namespace pqd
