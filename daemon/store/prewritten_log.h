// A log whose next pages are zeros on the disk already when small appends come to them.
//
// A sync of a file that has grown writes the file system's journal as well as the bytes, and who submits one
// job at a time waits for both. So an append of a page or less beyond what is there writes some zeros behind
// itself, once for some hundred appends, and those that follow change neither the size of the file nor its
// extents. Larger appends leave it be: their bytes would be written twice. RocksDB takes zeros behind the
// last record for the end of a log, as does log_files.h. Close() cuts them off. What it is worth, measured on
// ext4: tests/bench, row `acknowledgement`. Private to daemon/store; appends come from one thread at a time.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "daemon/store/rocksdb_include.h"

namespace pqd {

class PrewrittenLog final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  // A log that was just begun. `file_system` outlives this.
  PrewrittenLog(rocksdb::FileSystem& file_system, std::string path,
                std::unique_ptr<rocksdb::FSWritableFile> log);

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& sum, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;

  // That were appended, all of which can be read. Any thread.
  uint64_t bytes() const { return size_.load(std::memory_order_acquire); }

 private:
  void write_zeros_behind(uint64_t end);

  rocksdb::FileSystem& file_system_;
  const std::string path_;
  // Writer: who appends. release, and acquire in bytes(): who sees a size may read so far.
  std::atomic<uint64_t> size_{0};
  uint64_t zeros_to_ = 0;
  bool no_more_zeros_ = false;
  std::unique_ptr<rocksdb::FSRandomRWFile> zeros_;
};

}  // namespace pqd
