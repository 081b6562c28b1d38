// Is there room on the disk for more jobs? Looked at now and then, on the way of submits, so that a full disk
// is met at admission and never inside the database. One thread.
#pragma once

#include "daemon/store/store.h"

namespace pqd {

class DiskWatch {
 public:
  DiskWatch(const Store& store, uint64_t reserved_bytes) : store_(store), reserved_bytes_(reserved_bytes) {}

  // kNoSpace while less than the reserve is free.
  Error intake(TimeNs now) {
    if (now - looked_ns_ >= kLookEveryNs) {
      looked_ns_ = now;
      enough_ = store_.free_bytes() >= reserved_bytes_;
    }
    return enough_ ? Error::kOk : Error::kNoSpace;
  }
  bool enough() const { return enough_; }

 private:
  static constexpr int64_t kLookEveryNs = 50 * kMillisecondNs;

  const Store& store_;
  uint64_t reserved_bytes_;
  TimeNs looked_ns_ = 0;
  bool enough_ = true;
};

}  // namespace pqd
