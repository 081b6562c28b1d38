#include "daemon/store/witness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "daemon/store/format_file.h"

namespace pqd {
namespace {

constexpr size_t kSlotBytes = 4096;  // a block each, so that one torn write cannot reach the other

struct Slot {
  uint64_t magic = 0x3153454E54495750;
  uint64_t turn = 0;
  uint64_t commit = 0;
  ChainHash hash{};
  ChainHash check{};  // SHA-256 of the fields before
};
static_assert(sizeof(Slot) == 88);

std::string path_of(const std::string& directory, PartitionNo partition) {
  return directory + "/witness" + (partition > 0 ? "." + std::to_string(partition) : "");
}

ChainHash check_of(const Slot& slot) {
  return entry_hash(std::as_bytes(std::span(&slot, 1)).first(offsetof(Slot, check)));
}

// Both slots are there before either is written: a record changes bytes of one sector then, which are old or
// new after a power cut, and not the size, of which POSIX promises nothing.
int make_room(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return -1;
  const std::array<std::byte, 2 * kSlotBytes> zeros{};
  const auto size = std::min(static_cast<size_t>(file.st_size), zeros.size());
  if (size == zeros.size()) return 0;
  errno = ENOSPC;  // what a short write means
  const size_t rest = zeros.size() - size;
  if (::pwrite(fd, zeros.data(), rest, file.st_size) != static_cast<ssize_t>(rest)) return -1;
  return ::fdatasync(fd);
}

StoreError error_of(const char* what) {
  return {errno == ENOSPC ? Error::kNoSpace : Error::kSystemError,
          std::string("witness: ") + what + ": " + std::strerror(errno), true};
}

}  // namespace

StoreResult<Witness> Witness::open(const std::string& directory, PartitionNo partition) {
  const std::string path = path_of(directory, partition);
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return std::unexpected(error_of("cannot open"));
  if (auto synced = sync_directory(directory); !synced) return std::unexpected(synced.error());
  Witness witness(std::move(fd));
  if (auto read = witness.read_slots(path); !read) return std::unexpected(read.error());
  if (make_room(witness.fd_.get()) != 0) return std::unexpected(error_of("cannot make room"));
  return witness;
}

StoreResult<std::optional<Testimony>> Witness::read(const std::string& directory, PartitionNo partition) {
  const std::string path = path_of(directory, partition);
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd) return std::unexpected(error_of("cannot open"));
  Witness witness(std::move(fd));
  if (auto read = witness.read_slots(path); !read) return std::unexpected(read.error());
  return witness.latest_;
}

StoreResult<void> Witness::read_slots(const std::string& path) {
  bool any_bytes = false;
  for (size_t i = 0; i < 2; ++i) {
    Slot slot{};
    const ssize_t n = ::pread(fd_.get(), &slot, sizeof slot, static_cast<off_t>(i * kSlotBytes));
    if (n < 0) return std::unexpected(error_of("cannot read"));
    any_bytes = any_bytes || (n > 0 && slot.magic != 0);
    const bool whole = n == sizeof slot && slot.magic == Slot{}.magic && slot.check == check_of(slot);
    if (whole && (!latest_ || slot.turn > turn_)) {
      latest_ = Testimony{slot.commit, slot.hash};
      turn_ = slot.turn;
    }
  }
  if (any_bytes && !latest_) {
    return std::unexpected(StoreError{Error::kSystemError,
                                      "both slots of " + path +
                                          " are damaged: restore the directory from a backup, or "
                                          "remove the file to start without its testimony",
                                      true});
  }
  return {};
}

StoreResult<void> Witness::record(const Testimony& testimony) {
  Slot slot;
  slot.turn = ++turn_;
  slot.commit = testimony.commit;
  slot.hash = testimony.hash;
  slot.check = check_of(slot);
  const off_t offset = static_cast<off_t>((turn_ % 2) * kSlotBytes);
  errno = ENOSPC;  // what a short write means
  if (::pwrite(fd_.get(), &slot, sizeof slot, offset) != sizeof slot)
    return std::unexpected(error_of("cannot write"));
  if (::fdatasync(fd_.get()) != 0) return std::unexpected(error_of("cannot sync"));
  latest_ = testimony;
  return {};
}

}  // namespace pqd
