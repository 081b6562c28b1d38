// RocksDB's file system with one rule more: a log is on the disk before the next one is begun.
//
// Without it a power cut may take the end of a log that nobody had synced and leave what is in the next one,
// and RocksDB 7.8 reads on over the gap when the first ends between two records: the history would have a
// hole, and of two checkpoints the later might count without the earlier. Found by tests/crash. One sync more
// for each log. Private to daemon/store; any thread.
#pragma once

#include <memory>
#include <mutex>

#include "daemon/store/rocksdb_include.h"

namespace pqd {

class OrderedLogs final : public rocksdb::FileSystemWrapper {
 public:
  explicit OrderedLogs(const std::shared_ptr<rocksdb::FileSystem>& target) : FileSystemWrapper(target) {}

  static const char* kClassName() { return "pqd.OrderedLogs"; }
  const char* Name() const override { return kClassName(); }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;

 private:
  friend class OrderedLog;

  std::mutex mutex_;                           // guards:
  rocksdb::FSWritableFile* latest_ = nullptr;  // the log that was begun last, as long as it is open
};

}  // namespace pqd
