#include "daemon/supervisor/session_counter.h"

#include <fcntl.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>

#include "core/job_id.h"
#include "core/partition.h"
#include "shm/crash_point.h"
#include "shm/unique_fd.h"

namespace pqd {
namespace {

constexpr uint64_t kCounterMagic = 0x31'53'53'45'53'44'51'50;  // "PQDSESS1" read as bytes
constexpr const char* kFileName = "/sessions";

struct CounterFile {
  uint64_t magic = kCounterMagic;
  uint64_t unreserved = 0;
  uint64_t hash = 0;
};
static_assert(sizeof(CounterFile) == 24);

uint64_t hash_of(const CounterFile& file) {
  unsigned char bytes[offsetof(CounterFile, hash)];
  std::memcpy(bytes, &file, sizeof bytes);
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

std::expected<void, SysError> write_new(const std::string& path, const CounterFile& file) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return std::unexpected(SysError::last("open"));
  errno = ENOSPC;  // what a short write means
  if (::write(fd.get(), &file, sizeof file) != sizeof file) return std::unexpected(SysError::last("write"));
  if (::fdatasync(fd.get()) != 0) return std::unexpected(SysError::last("fdatasync"));
  return {};
}

std::expected<void, SysError> sync_directory_of(const std::string& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return std::unexpected(SysError::last("open"));
  if (::fsync(fd.get()) != 0) return std::unexpected(SysError::last("fsync"));
  return {};
}

std::expected<void, SysError> replace(const std::string& directory, uint64_t unreserved) {
  CounterFile file{.unreserved = unreserved};
  file.hash = hash_of(file);
  const std::string path = directory + kFileName;
  const std::string beside = path + ".new";
  if (auto written = write_new(beside, file); !written) return written;
  PQD_CRASH_POINT("sessions-file-written");
  if (::rename(beside.c_str(), path.c_str()) != 0) return std::unexpected(SysError::last("rename"));
  PQD_CRASH_POINT("sessions-file-renamed");
  return sync_directory_of(directory);
}

// Are there traces of an earlier life? Lock files and the unfinished file of a first start are none.
bool has_other_state(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with("lock") && name != "sessions.new" && !entry.is_socket(error)) return true;
  }
  return false;
}

uint64_t clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

std::expected<SessionCounter, StartFailure> SessionCounter::open(const std::string& state_dir) {
  const std::string path = state_dir + kFileName;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno != ENOENT) return std::unexpected(path_failure("cannot open", path, errno));
  uint64_t first = has_other_state(state_dir) ? clock_ms() : 1;
  if (fd) {
    CounterFile file;
    const bool whole = ::read(fd.get(), &file, sizeof file) == sizeof file;
    if (!whole || file.magic != kCounterMagic || file.hash != hash_of(file))
      return std::unexpected(StartFailure{
          kExitConfig, path + " is damaged: move it away, then start pqd again; sessions are then numbered "
                              "from the clock"});
    first = file.unreserved;
  }
  // Written now, so that a disk that is full or read-only is met at the start and not by the first client.
  if (auto written = replace(state_dir, first); !written)
    return std::unexpected(path_failure("cannot write", path, written.error().number));
  return SessionCounter(state_dir, first);
}

std::expected<uint64_t, SysError> SessionCounter::next() {
  if (next_ == reserved_) {
    if (auto written = replace(directory_, reserved_ + kBlock); !written)
      return std::unexpected(written.error());
    reserved_ += kBlock;
  }
  const uint64_t number = next_++;
  // Where the tag of its job ids would have nothing of it: such tags are the schedules', see make_tag().
  if (static_cast<uint32_t>(number << kPartitionTagBits) == JobId::kScheduleTag) return next();
  return number;
}

}  // namespace pqd
