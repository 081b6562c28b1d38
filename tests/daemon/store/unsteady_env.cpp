#include "tests/daemon/store/unsteady_env.h"

#include <unistd.h>

namespace pqd::test {

class UnsteadyFile final : public rocksdb::WritableFileWrapper {
 public:
  UnsteadyFile(UnsteadyEnv& env, std::unique_ptr<rocksdb::WritableFile> target,
               std::shared_ptr<UnsteadyEnv::Extent> extent)
      : WritableFileWrapper(target.get()),
        env_(env),
        target_(std::move(target)),
        extent_(std::move(extent)) {}

  rocksdb::Status Append(const rocksdb::Slice& data) override {
    if (auto fault = env_.write_fault(); !fault.ok()) return fault;
    const std::lock_guard lock(env_.mutex_);
    const auto status = target_->Append(data);
    if (status.ok()) extent_->written += data.size();
    return status;
  }
  rocksdb::Status Append(const rocksdb::Slice& data, const rocksdb::DataVerificationInfo& /*info*/) override {
    return Append(data);
  }
  rocksdb::Status Sync() override {
    if (auto fault = env_.sync_fault(); !fault.ok()) return fault;
    const std::lock_guard lock(env_.mutex_);
    extent_->synced = extent_->written;
    return rocksdb::Status::OK();
  }
  rocksdb::Status Fsync() override { return Sync(); }

 private:
  UnsteadyEnv& env_;
  std::unique_ptr<rocksdb::WritableFile> target_;
  std::shared_ptr<UnsteadyEnv::Extent> extent_;
};

rocksdb::Status UnsteadyEnv::write_fault() const {
  if (full) return rocksdb::Status::NoSpace("the disk is full");
  return dead_ ? rocksdb::Status::IOError("no power") : rocksdb::Status::OK();
}

rocksdb::Status UnsteadyEnv::sync_fault() const {
  return dead_ || fail_sync ? rocksdb::Status::IOError("sync failed") : rocksdb::Status::OK();
}

rocksdb::Status UnsteadyEnv::NewWritableFile(const std::string& path,
                                             std::unique_ptr<rocksdb::WritableFile>* file,
                                             const rocksdb::EnvOptions& options) {
  if (fail_new_tables && path.ends_with(".sst")) return rocksdb::Status::IOError("no table today");
  if (auto fault = write_fault(); !fault.ok()) return fault;
  auto status = EnvWrapper::NewWritableFile(path, file, options);
  if (!status.ok()) return status;
  const auto extent = std::make_shared<Extent>();
  {
    const std::lock_guard lock(mutex_);
    extents_[path] = extent;
  }
  *file = std::make_unique<UnsteadyFile>(*this, std::move(*file), extent);
  return status;
}

rocksdb::Status UnsteadyEnv::NewRandomRWFile(const std::string& path,
                                             std::unique_ptr<rocksdb::RandomRWFile>* file,
                                             const rocksdb::EnvOptions& options) {
  if (auto fault = write_fault(); !fault.ok()) return fault;
  return EnvWrapper::NewRandomRWFile(path, file, options);
}

rocksdb::Status UnsteadyEnv::RenameFile(const std::string& from, const std::string& to) {
  if (dead_) return rocksdb::Status::IOError("no power");
  const auto status = EnvWrapper::RenameFile(from, to);
  const std::lock_guard lock(mutex_);
  if (auto moved = extents_.extract(from); status.ok() && !moved.empty()) {
    moved.key() = to;
    extents_.erase(to);
    extents_.insert(std::move(moved));
  }
  return status;
}

rocksdb::Status UnsteadyEnv::DeleteFile(const std::string& path) {
  if (dead_) return rocksdb::Status::IOError("no power");
  const std::lock_guard lock(mutex_);
  extents_.erase(path);
  return EnvWrapper::DeleteFile(path);
}

void UnsteadyEnv::drop_unsynced() {
  const std::lock_guard lock(mutex_);
  for (const auto& [path, extent] : extents_) {
    if (::truncate(path.c_str(), static_cast<off_t>(extent->synced)) != 0) std::abort();
  }
  extents_.clear();
  dead_ = false;
}

}  // namespace pqd::test
