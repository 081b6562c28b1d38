// RocksDB's file system with three rules more about the logs of one database:
//
// - A log is on the disk before the next one is begun. Without it a power cut may take the end of a log that
//   nobody had synced and leave what is in the next one, and RocksDB 7.8 reads on over the gap when the first
//   ends between two records: the history would have a hole, and of two checkpoints the later might count
//   without the earlier. Found by tests/crash. One sync more for each log.
// - A log of which one sync has failed is synced by none after it. The kernel tells of a failed write once
// for
//   each open file, and whoever asks next would hear that all is well. Syncs of a log stand in line for that.
// - A log is as long as what was appended to it, whatever zeros are behind that (prewritten_log.h): who
// copies
//   one that is in use ends there.
//
// Private to daemon/store; any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/store/rocksdb_include.h"

namespace pqd {

class OrderedLog;

class OrderedLogs final : public rocksdb::FileSystemWrapper {
 public:
  // `database`: the directory of the logs, as RocksDB is told of it; logs in others, as of a copy, are files
  // like any.
  OrderedLogs(const std::shared_ptr<rocksdb::FileSystem>& target, std::string database)
      : FileSystemWrapper(target), database_(std::move(database)) {}

  static const char* kClassName() { return "pqd.OrderedLogs"; }
  const char* Name() const override { return kClassName(); }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFileSize(const std::string& path, const rocksdb::IOOptions& options, uint64_t* bytes,
                                rocksdb::IODebugContext* debug) override;

 private:
  friend class OrderedLog;

  bool is_log(const std::string& path) const;

  const std::string database_;
  std::mutex mutex_;               // guards:
  std::vector<OrderedLog*> open_;  // in the order in which they were begun
};

}  // namespace pqd
