#include "daemon/store/backup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "daemon/store/format_file.h"
#include "daemon/store/recovery.h"
#include "daemon/store/store.h"

namespace pqd {
namespace {

namespace fs = std::filesystem;

std::unexpected<StoreError> refusal(const std::string& what, int number) {
  const bool full = number == ENOSPC || number == EDQUOT;
  return std::unexpected(
      StoreError{full ? Error::kNoSpace : Error::kSystemError, what + ": " + std::strerror(number), true});
}

StoreResult<void> sync_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return refusal("cannot sync " + path, errno);
  return {};
}

// All files of it, synced, and their directories.
StoreResult<void> copy_tree(const fs::path& from, const fs::path& to) {
  if (std::error_code error; !fs::create_directory(to, error))
    return refusal("cannot make " + to.string(), error ? error.value() : EEXIST);
  fs::permissions(to, fs::perms::owner_all);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(from, error)) {
    const fs::path there = to / entry.path().filename();
    if (entry.is_directory()) {
      if (auto done = copy_tree(entry.path(), there); !done) return done;
      continue;
    }
    std::error_code copied;
    if (!fs::copy_file(entry.path(), there, copied))
      return refusal("cannot copy " + entry.path().string() + " to " + there.string(), copied.value());
    if (auto synced = sync_file(there); !synced) return synced;
  }
  if (error) return refusal("cannot read " + from.string(), error.value());
  return sync_directory(to);
}

// What it would come to at a start is witnessed, so that the copy cannot lose its end unnoticed later.
StoreResult<void> witness(const std::string& directory) {
  const auto database = Database::open({.directory = directory, .read_only = true});
  if (!database) return std::unexpected(database.error());
  for (uint32_t i = 0; i < (*database)->partitions(); ++i) {
    const auto partition = static_cast<PartitionNo>(i);
    const auto store = Store::open(*database, partition);
    if (!store) return std::unexpected(store.error());
    State state;
    const auto recovered =
        recover(**store, std::nullopt, state, [](uint64_t, ByteView, ByteView) { return true; });
    if (!recovered) return std::unexpected(recovered.error());
    auto fresh = Witness::open(directory, partition);
    if (!fresh) return std::unexpected(fresh.error());
    if (recovered->last_commit == 0) continue;
    if (auto ok = fresh->record({recovered->last_commit, recovered->last_hash}); !ok) return ok;
  }
  return {};
}

StoreResult<StoreReport> take(const std::string& copy, const std::string& to) {
  if (auto copied = copy_tree(copy, to); !copied) return std::unexpected(copied.error());
  if (auto witnessed = witness(to); !witnessed) return std::unexpected(witnessed.error());
  StoreReport report = check_store(to);
  if (report.faults.empty()) return report;
  const StoreFault& first = report.faults.front();
  return std::unexpected(StoreError{
      Error::kSystemError,
      "the copy is not whole, see `pqctl store check` of the store itself: " + first.part + ": " + first.text,
      true});
}

}  // namespace

StoreResult<UniqueFd> lock_backup(const std::string& state_directory) {
  const std::string path = state_directory + "/" + Database::kCopyName + ".lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return refusal("cannot open " + path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  return std::unexpected(StoreError{Error::kUnavailable, "another backup of this store is being made", true});
}

StoreResult<StoreReport> take_backup(const std::string& copy, const std::string& to) {
  std::error_code ignored;
  if (fs::exists(to, ignored)) {
    fs::remove_all(copy, ignored);
    return std::unexpected(StoreError{Error::kInvalidRequest, to + " is there already", true});
  }
  auto taken = take(copy, to);
  fs::remove_all(copy, ignored);
  if (!taken) fs::remove_all(to, ignored);
  return taken;
}

}  // namespace pqd
