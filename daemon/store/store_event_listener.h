// Turns the first background error of RocksDB into a sticky failure. Called from RocksDB's threads.
#pragma once

#include <atomic>
#include <mutex>

#include "daemon/store/rocksdb_include.h"
#include "daemon/store/store_error.h"

namespace pqd {

class StoreEventListener final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override;
  // RocksDB mends some errors by itself (a full disk) unless told not to.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*status*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
  void fail(const StoreError& error);
  // acquire: pairs with the release in fail(), which comes after the error.
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  StoreError error() const;

 private:
  mutable std::mutex mutex_;
  StoreError error_;
  std::atomic<bool> failed_{false};
};

}  // namespace pqd
