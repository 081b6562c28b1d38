#include "daemon/store/store_event_listener.h"

namespace pqd {

void StoreEventListener::OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                                           rocksdb::Status* status) {
  fail("background error: " + status->ToString());
}

void StoreEventListener::fail(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (failed_.load(std::memory_order_relaxed)) return;
  text_ = text;
  failed_.store(true, std::memory_order_release);
}

std::string StoreEventListener::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

}  // namespace pqd
