// A copy of the store as it stands, while it is in use: the beginning of every backup.
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "daemon/store/database.h"
#include "daemon/store/format_file.h"
#include "daemon/store/rocksdb_bytes.h"

namespace pqd {
namespace {

// Never: a flush of everything costs those who work more than a copy of the log.
constexpr uint64_t kFlushFromLogBytes = UINT64_MAX;

}  // namespace

StoreResult<std::string> Database::copy_beside() const {
  const std::string path = directory_ + "/" + kCopyName;
  if (auto gone = remove_copy(directory_); !gone) return std::unexpected(gone.error());
  if (::mkdir(path.c_str(), 0700) != 0)
    return std::unexpected(StoreError{errno == ENOSPC ? Error::kNoSpace : Error::kSystemError,
                                      "cannot make " + path + ": " + std::strerror(errno), false});
  if (auto format = check_format(path, true, partitions_); !format) return std::unexpected(format.error());
  rocksdb::Checkpoint* made = nullptr;
  auto status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(path + "/db", kFlushFromLogBytes);
  if (status.ok()) return path;
  auto failed = failure("cannot copy the store to " + path, status);
  [[maybe_unused]] const auto cleared = remove_copy(directory_);
  return failed;
}

StoreResult<void> Database::remove_copy(const std::string& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory + "/" + kCopyName, error);
  if (!error) return {};
  return std::unexpected(StoreError{
      Error::kSystemError, "cannot remove " + directory + "/" + kCopyName + ": " + error.message(), false});
}

}  // namespace pqd
