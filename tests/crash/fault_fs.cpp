#include "tests/crash/fault_fs.h"

#include <chrono>
#include <cstdlib>
#include <thread>

namespace pqd::test {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class WatchedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WatchedFile(FaultFs& fs, std::unique_ptr<rocksdb::FSWritableFile> target, InodeNo inode, uint64_t size)
      : FSWritableFileOwnerWrapper(std::move(target)), fs_(fs), inode_(inode), size_(size) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    fs_.wait_while(fs_.hold_appends_);
    const auto status = fs_.change([&] { return target()->Append(data, options, debug); },
                                   {DiskOp::Kind::kWrite, inode_, size_, {}, {}, data.ToString()});
    if (status.ok()) size_ += data.size();
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus PositionedAppend(const Slice&, uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("not watched");
  }
  IOStatus PositionedAppend(const Slice&, uint64_t, const IOOptions&, const rocksdb::DataVerificationInfo&,
                            IODebugContext*) override {
    return IOStatus::NotSupported("not watched");
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    const auto status = fs_.change([&] { return target()->Truncate(size, options, debug); },
                                   {DiskOp::Kind::kTruncate, inode_, size, {}, {}, {}});
    if (status.ok()) size_ = size;
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    fs_.wait_while(fs_.hold_syncs_);
    return fs_.change([&] { return target()->Sync(options, debug); },
                      {DiskOp::Kind::kSync, inode_, 0, {}, {}, {}});
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    fs_.wait_while(fs_.hold_syncs_);
    return fs_.change([&] { return target()->Fsync(options, debug); },
                      {DiskOp::Kind::kSync, inode_, 0, {}, {}, {}});
  }

 private:
  FaultFs& fs_;
  const InodeNo inode_;
  uint64_t size_;
};

// Writes anywhere in a file that another handle appends to, and syncs.
class WatchedPlaces final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  WatchedPlaces(FaultFs& fs, std::unique_ptr<rocksdb::FSRandomRWFile> target, InodeNo inode)
      : FSRandomRWFileOwnerWrapper(std::move(target)), fs_(fs), inode_(inode) {}

  IOStatus Write(uint64_t offset, const Slice& data, const IOOptions& options,
                 IODebugContext* debug) override {
    return fs_.change([&] { return target()->Write(offset, data, options, debug); },
                      {DiskOp::Kind::kWrite, inode_, offset, {}, {}, data.ToString()});
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return IOStatus::NotSupported("not watched"); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return IOStatus::NotSupported("not watched"); }

 private:
  FaultFs& fs_;
  const InodeNo inode_;
};

class WatchedDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  WatchedDirectory(FaultFs& fs, std::unique_ptr<rocksdb::FSDirectory> target, std::string name)
      : FSDirectoryWrapper(std::move(target)), fs_(fs), name_(std::move(name)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return sync([&] { return FSDirectoryWrapper::Fsync(options, debug); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& how) override {
    return sync([&] { return FSDirectoryWrapper::FsyncWithDirOptions(options, debug, how); });
  }

 private:
  template <class Call>
  IOStatus sync(Call&& call) {
    if (fs_.forget_directory_syncs_) return IOStatus::OK();
    return fs_.change(call, {DiskOp::Kind::kSyncDirectory, 0, 0, name_, {}, {}});
  }

  FaultFs& fs_;
  const std::string name_;
};

class WatchedTable final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  WatchedTable(FaultFs& fs, std::unique_ptr<rocksdb::FSRandomAccessFile> target)
      : FSRandomAccessFileOwnerWrapper(std::move(target)), fs_(fs) {}

  IOStatus Read(uint64_t offset, size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) const override {
    return fs_.read([&] { return target()->Read(offset, size, options, result, scratch, debug); });
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, size_t count, const IOOptions& options,
                     IODebugContext* debug) override {
    return fs_.read([&] { return target()->MultiRead(requests, count, options, debug); });
  }
  IOStatus Prefetch(uint64_t offset, size_t size, const IOOptions& options, IODebugContext* debug) override {
    return fs_.read([&] { return target()->Prefetch(offset, size, options, debug); });
  }

 private:
  FaultFs& fs_;
};

class WatchedSequence final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  WatchedSequence(FaultFs& fs, std::unique_ptr<rocksdb::FSSequentialFile> target)
      : FSSequentialFileOwnerWrapper(std::move(target)), fs_(fs) {}

  IOStatus Read(size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    return fs_.read([&] { return target()->Read(size, options, result, scratch, debug); });
  }

 private:
  FaultFs& fs_;
};

FaultFs::FaultFs(std::string root, DiskLog* log)
    : FileSystemWrapper(rocksdb::FileSystem::Default()), root_(std::move(root)), log_(log) {}

std::string FaultFs::name_of(const std::string& path) const {
  if (!path.starts_with(root_ + "/")) return {};
  const std::string name = path.substr(root_.size() + 1);
  // RocksDB's own log and lock hold nothing that a recovery reads.
  const std::string last = name.substr(name.rfind('/') + 1);
  return last.starts_with("LOG") || last == "LOCK" ? std::string() : name;
}

IOStatus FaultFs::fault(bool read) {
  const uint64_t call = ++(read ? reads_ : calls_);
  if (read != plan_.reads || plan_.nth == 0 || call < plan_.nth || (call > plan_.nth && !plan_.from_on))
    return IOStatus::OK();
  failed_ = true;
  return plan_.error == FaultPlan::Error::kNoSpace ? IOStatus::NoSpace("planned")
                                                   : IOStatus::IOError("planned");
}

void FaultFs::hold_syncs(bool hold) {
  hold_syncs_ = hold;
  hold_syncs_.notify_all();
}

void FaultFs::hold_appends(bool hold) {
  hold_appends_ = hold;
  hold_appends_.notify_all();
}

void FaultFs::wait_while(const std::atomic<bool>& hold) {
  ++waiting_;
  hold.wait(true);
  --waiting_;
}

template <class Call>
IOStatus FaultFs::change(Call&& call, DiskOp op) {
  const std::lock_guard lock(mutex_);
  if (plan_.delay_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(random_() % plan_.delay_us));
  if (auto planned = fault(false); !planned.ok()) return planned;
  auto status = call();
  if (status.ok() && log_ != nullptr) log_->add(std::move(op));
  return status;
}

IOStatus FaultFs::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                  std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) {
  const std::string name = name_of(path);
  const auto open = [&] { return FileSystemWrapper::NewWritableFile(path, options, file, debug); };
  if (name.empty()) return open();
  const InodeNo inode = log_ != nullptr ? log_->next_inode() : 0;
  auto status = change(
      [&] {
        auto opened = open();
        if (opened.ok()) inodes_[name] = inode;
        return opened;
      },
      {DiskOp::Kind::kCreate, inode, 0, name, {}, {}});
  if (status.ok()) *file = std::make_unique<WatchedFile>(*this, std::move(*file), inode, 0);
  return status;
}

IOStatus FaultFs::ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                     std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) {
  const std::string name = name_of(path);
  if (!name.empty()) return IOStatus::NotSupported("not watched");
  return FileSystemWrapper::ReopenWritableFile(path, options, file, debug);
}

IOStatus FaultFs::ReuseWritableFile(const std::string&, const std::string&, const rocksdb::FileOptions&,
                                    std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) {
  return IOStatus::NotSupported("not watched");
}

IOStatus FaultFs::NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                  std::unique_ptr<rocksdb::FSRandomRWFile>* file, IODebugContext* debug) {
  auto status = FileSystemWrapper::NewRandomRWFile(path, options, file, debug);
  const std::string name = name_of(path);
  const std::lock_guard lock(mutex_);
  if (status.ok() && !name.empty())
    *file = std::make_unique<WatchedPlaces>(*this, std::move(*file), inodes_[name]);
  return status;
}

template <class Call>
IOStatus FaultFs::read(Call&& call) {
  if (auto planned = fault(true); !planned.ok()) return planned;
  return call();
}

IOStatus FaultFs::NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSSequentialFile>* file, IODebugContext* debug) {
  const auto open = [&] { return FileSystemWrapper::NewSequentialFile(path, options, file, debug); };
  if (name_of(path).empty()) return open();
  auto status = read(open);
  if (status.ok()) *file = std::make_unique<WatchedSequence>(*this, std::move(*file));
  return status;
}

IOStatus FaultFs::NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                      IODebugContext* debug) {
  const auto open = [&] { return FileSystemWrapper::NewRandomAccessFile(path, options, file, debug); };
  if (name_of(path).empty()) return open();
  auto status = read(open);
  if (status.ok()) *file = std::make_unique<WatchedTable>(*this, std::move(*file));
  return status;
}

IOStatus FaultFs::NewDirectory(const std::string& path, const IOOptions& options,
                               std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* debug) {
  auto status = FileSystemWrapper::NewDirectory(path, options, directory, debug);
  const std::string name = name_of(path);
  if (status.ok() && !name.empty())
    *directory = std::make_unique<WatchedDirectory>(*this, std::move(*directory), name);
  return status;
}

IOStatus FaultFs::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                             IODebugContext* debug) {
  const auto rename = [&] { return FileSystemWrapper::RenameFile(from, to, options, debug); };
  if (name_of(from).empty()) return rename();
  return change(
      [&] {
        auto status = rename();
        if (auto moved = inodes_.extract(name_of(from)); status.ok() && !moved.empty())
          inodes_[name_of(to)] = moved.mapped();
        return status;
      },
      {DiskOp::Kind::kRename, 0, 0, name_of(from), name_of(to), {}});
}

IOStatus FaultFs::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  const auto remove = [&] { return FileSystemWrapper::DeleteFile(path, options, debug); };
  const std::string name = name_of(path);
  if (name.empty()) return remove();
  return change(
      [&] {
        auto status = remove();
        if (status.ok()) inodes_.erase(name);
        return status;
      },
      {DiskOp::Kind::kUnlink, 0, 0, name, {}, {}});
}

IOStatus FaultFs::Truncate(const std::string& path, size_t size, const IOOptions& options,
                           IODebugContext* debug) {
  const std::string name = name_of(path);
  if (name.empty()) return FileSystemWrapper::Truncate(path, size, options, debug);
  return change([&] { return FileSystemWrapper::Truncate(path, size, options, debug); },
                {DiskOp::Kind::kTruncate, inodes_[name], size, {}, {}, {}});
}

IOStatus FaultFs::LinkFile(const std::string&, const std::string&, const IOOptions&, IODebugContext*) {
  return IOStatus::NotSupported("not watched");
}

}  // namespace pqd::test
