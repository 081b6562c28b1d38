#include "daemon/store/ordered_logs.h"

#include <algorithm>

#include "daemon/store/prewritten_log.h"

namespace pqd {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class OrderedLog final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  OrderedLog(OrderedLogs& logs, std::string path, std::unique_ptr<PrewrittenLog> target)
      : FSWritableFileOwnerWrapper(std::move(target)),
        logs_(logs),
        path_(std::move(path)),
        log_(static_cast<const PrewrittenLog&>(*this->target())) {}
  ~OrderedLog() override { leave(); }

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return unless_failed([&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return unless_failed([&] { return target()->Fsync(options, debug); });
  }
  // Whoever closes a log has synced it, or wants nothing more of it.
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    leave();
    return FSWritableFileOwnerWrapper::Close(options, debug);
  }

  const std::string& path() const { return path_; }
  uint64_t bytes() const { return log_.bytes(); }

 private:
  template <class Call>
  IOStatus unless_failed(Call&& sync) {
    const std::lock_guard lock(sync_mutex_);
    if (failed_.ok()) failed_ = sync();
    return failed_;
  }
  void leave() {
    const std::lock_guard lock(logs_.mutex_);
    std::erase(logs_.open_, this);
  }

  OrderedLogs& logs_;
  const std::string path_;
  const PrewrittenLog& log_;
  std::mutex sync_mutex_;  // guards:
  IOStatus failed_;        // the first sync that did
};

bool OrderedLogs::is_log(const std::string& path) const {
  return path.ends_with(".log") && std::string_view(path).substr(0, path.rfind('/')) == database_;
}

IOStatus OrderedLogs::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) {
  if (!is_log(path)) return FileSystemWrapper::NewWritableFile(path, options, file, debug);
  const std::lock_guard lock(mutex_);
  if (!open_.empty())
    if (auto synced = open_.back()->Sync(IOOptions(), debug); !synced.ok()) return synced;
  auto opened = FileSystemWrapper::NewWritableFile(path, options, file, debug);
  if (!opened.ok()) return opened;
  auto log = std::make_unique<OrderedLog>(*this, path,
                                          std::make_unique<PrewrittenLog>(*target(), path, std::move(*file)));
  open_.push_back(log.get());
  *file = std::move(log);
  return opened;
}

IOStatus OrderedLogs::GetFileSize(const std::string& path, const IOOptions& options, uint64_t* bytes,
                                  IODebugContext* debug) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(open_, path, &OrderedLog::path);
    if (found != open_.end()) {
      *bytes = (*found)->bytes();
      return IOStatus::OK();
    }
  }
  return FileSystemWrapper::GetFileSize(path, options, bytes, debug);
}

}  // namespace pqd
