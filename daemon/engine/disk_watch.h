// Is there room on the disk for more jobs? Looked at now and then, on the way of submits, so that a full disk
// is met at admission and never inside the database. One thread.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "daemon/store/store.h"

namespace pqd {

class DiskWatch {
 public:
  // `tells`: writes a line into the log when that changes. One of those who look at a disk does.
  DiskWatch(const Store& store, uint64_t reserved_bytes, bool tells)
      : store_(store), reserved_bytes_(reserved_bytes), tells_(tells) {}

  // kNoSpace while less than the reserve is free.
  Error intake(TimeNs now) {
    if (now - looked_ns_ >= kLookEveryNs) {
      looked_ns_ = now;
      free_bytes_ = store_.database().free_bytes();
      note(free_bytes_ >= reserved_bytes_);
    }
    return enough_ ? Error::kOk : Error::kNoSpace;
  }
  bool enough() const { return enough_; }
  // For people, while there is not enough.
  std::string why() const {
    return "the disk has " + std::to_string(free_bytes_ >> 20) + " MiB free, less than the reserve of " +
           std::to_string(reserved_bytes_ >> 20) +
           " MiB: submits are refused with NO_SPACE, completions work; free space, or lower reserved_bytes";
  }

 private:
  static constexpr int64_t kLookEveryNs = 50 * kMillisecondNs;

  void note(bool enough) {
    if (enough == enough_) return;
    enough_ = enough;
    if (!tells_) return;
    if (enough) return spdlog::warn("the disk has room again: submits are taken");
    spdlog::error("{}", why());
  }

  const Store& store_;
  uint64_t reserved_bytes_;
  bool tells_;
  uint64_t free_bytes_ = 0;
  TimeNs looked_ns_ = 0;
  bool enough_ = true;
};

}  // namespace pqd
