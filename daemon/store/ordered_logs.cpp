#include "daemon/store/ordered_logs.h"

#include "daemon/store/prewritten_log.h"

namespace pqd {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class OrderedLog final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  OrderedLog(OrderedLogs& logs, std::unique_ptr<rocksdb::FSWritableFile> target)
      : FSWritableFileOwnerWrapper(std::move(target)), logs_(logs) {}
  ~OrderedLog() override { leave(); }

  // Whoever closes a log has synced it, or wants nothing more of it.
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    leave();
    return FSWritableFileOwnerWrapper::Close(options, debug);
  }

 private:
  void leave() {
    const std::lock_guard lock(logs_.mutex_);
    if (logs_.latest_ == this) logs_.latest_ = nullptr;
  }

  OrderedLogs& logs_;
};

IOStatus OrderedLogs::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) {
  if (!path.ends_with(".log")) return FileSystemWrapper::NewWritableFile(path, options, file, debug);
  const std::lock_guard lock(mutex_);
  if (latest_ != nullptr)
    if (auto synced = latest_->Sync(IOOptions(), debug); !synced.ok()) return synced;
  auto opened = FileSystemWrapper::NewWritableFile(path, options, file, debug);
  if (!opened.ok()) return opened;
  auto log = std::make_unique<OrderedLog>(
      *this, std::make_unique<PrewrittenLog>(*target(), path, std::move(*file)));
  latest_ = log.get();
  *file = std::move(log);
  return opened;
}

}  // namespace pqd
