// A disk that can be told to misbehave: it knows which bytes of each file were synced, takes the others away
// at a power cut, and fails on request. The files themselves are real.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "daemon/store/rocksdb_include.h"

namespace pqd::test {

class UnsteadyEnv final : public rocksdb::EnvWrapper {
 public:
  UnsteadyEnv() : EnvWrapper(rocksdb::Env::Default()) {}

  // While set, these fail with an I/O error.
  std::atomic<bool> fail_sync{false};
  std::atomic<bool> fail_new_tables{false};
  // While set, every write fails for want of room.
  std::atomic<bool> full{false};

  // From here on nothing reaches the disk. Call drop_unsynced() once the store is closed.
  void cut_power() { dead_ = true; }
  // What a power cut leaves: each file up to its last sync.
  void drop_unsynced();

  const char* Name() const override { return "UnsteadyEnv"; }
  rocksdb::Status NewWritableFile(const std::string& path, std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewRandomRWFile(const std::string& path, std::unique_ptr<rocksdb::RandomRWFile>* file,
                                  const rocksdb::EnvOptions& options) override;
  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override;
  rocksdb::Status DeleteFile(const std::string& path) override;

 private:
  friend class UnsteadyFile;
  struct Extent {
    uint64_t written = 0;
    uint64_t synced = 0;
  };
  rocksdb::Status write_fault() const;
  rocksdb::Status sync_fault() const;

  std::atomic<bool> dead_{false};
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Extent>> extents_;
};

}  // namespace pqd::test
