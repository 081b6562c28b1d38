// RocksDB's file system, watched and made to fail: real files, each change of them in a DiskLog, and faults
// on request. Any thread.
#pragma once

#include <atomic>
#include <map>
#include <random>

#include "daemon/store/rocksdb_include.h"
#include "tests/crash/disk_log.h"

namespace pqd::test {

// Which call fails, and how.
struct FaultPlan {
  enum class Error : uint8_t { kIo, kNoSpace };
  uint64_t nth = 0;      // counted over all calls of one kind, from 1; 0 = none fails
  bool reads = false;    // of that kind: reads, and files opened for them; otherwise changes of the disk
  bool from_on = false;  // every later one fails as well
  Error error = Error::kIo;
  uint32_t delay_us = 0;  // before each change of the disk, at random up to this
};

class FaultFs final : public rocksdb::FileSystemWrapper {
 public:
  // `log` may be nullptr; it outlives this. `root`: what lies elsewhere is not watched.
  FaultFs(std::string root, DiskLog* log);

  // From the next call on; not while the store is in use.
  void plan(const FaultPlan& plan) { plan_ = plan; }
  // Calls so far that change the disk, and those that read it.
  uint64_t calls() const { return calls_; }
  uint64_t reads() const { return reads_; }
  bool failed() const { return failed_; }
  // Syncs of files, and what is written at their ends, do not begin until they may again.
  void hold_syncs(bool hold);
  void hold_appends(bool hold);
  // So many are waiting.
  uint32_t held() const { return waiting_; }
  // Directory syncs are believed and not done: a broken disk, or a program that forgot them.
  void forget_directory_syncs() { forget_directory_syncs_ = true; }

  static const char* kClassName() { return "FaultFs"; }
  const char* Name() const override { return kClassName(); }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override;
  // Of a file that is there.
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Truncate(const std::string& path, size_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to,
                             const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;

 private:
  friend class WatchedFile;
  friend class WatchedPlaces;
  friend class WatchedDirectory;
  friend class WatchedTable;
  friend class WatchedSequence;
  // Runs the call unless it is to fail, and logs what it did.
  template <class Call>
  rocksdb::IOStatus change(Call&& call, DiskOp op);
  template <class Call>
  rocksdb::IOStatus read(Call&& call);
  rocksdb::IOStatus fault(bool read);
  void wait_while(const std::atomic<bool>& hold);
  // "" = not watched.
  std::string name_of(const std::string& path) const;

  std::string root_;
  DiskLog* log_;
  FaultPlan plan_;
  std::atomic<uint64_t> calls_{0};
  std::atomic<uint64_t> reads_{0};
  std::atomic<bool> failed_{false};
  bool forget_directory_syncs_ = false;
  std::atomic<bool> hold_syncs_{false};
  std::atomic<bool> hold_appends_{false};
  std::atomic<uint32_t> waiting_{0};
  std::minstd_rand random_;  // guarded as the order
  std::mutex mutex_;         // guards the order of the log, and:
  std::map<std::string, InodeNo> inodes_;
};

}  // namespace pqd::test
