// Everything that was done to a disk, in order: what a power cut at any point of it may leave can be built
// from this, see disk_model.h. Names are relative to the directory that is watched. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace pqd::test {

using InodeNo = uint32_t;

struct DiskOp {
  enum class Kind : uint8_t {
    kCreate,    // `name` is `inode`, empty
    kWrite,     // `bytes` at `offset` of `inode`
    kTruncate,  // `inode` to `offset` bytes
    kSync,      // of `inode`: its bytes and its size
    kRename,    // `name` to `to`, replacing what was there
    kUnlink,    // `name`
    kSyncDirectory,
  };
  Kind kind = Kind::kCreate;
  InodeNo inode = 0;
  uint64_t offset = 0;
  std::string name;
  std::string to;
  std::string bytes;
};

class DiskLog {
 public:
  void add(DiskOp op) {
    const std::lock_guard lock(mutex_);
    ops_.push_back(std::move(op));
  }
  InodeNo next_inode() {
    const std::lock_guard lock(mutex_);
    return ++inodes_;
  }
  size_t size() const {
    const std::lock_guard lock(mutex_);
    return ops_.size();
  }
  // REQUIRES: nobody adds any more.
  const std::vector<DiskOp>& ops() const { return ops_; }

 private:
  mutable std::mutex mutex_;
  std::vector<DiskOp> ops_;
  InodeNo inodes_ = 0;
};

}  // namespace pqd::test
