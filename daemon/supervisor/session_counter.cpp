#include "daemon/supervisor/session_counter.h"

#include <fcntl.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "core/job_id.h"
#include "core/partition.h"
#include "daemon/supervisor/state_file.h"
#include "shm/unique_fd.h"

namespace pqd {
namespace {

constexpr uint64_t kCounterMagic = 0x31'53'53'45'53'44'51'50;  // "PQDSESS1" read as bytes
constexpr std::string_view kFileName = "sessions";

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

std::expected<void, SysError> replace(const std::string& directory, uint64_t unreserved) {
  CounterFile file{.unreserved = unreserved};
  file.hash = hash_of(file);
  return replace_state_file(directory, kFileName, {reinterpret_cast<const char*>(&file), sizeof file});
}

// Are there traces of an earlier life? Lock files and the unfinished file of a first start are none.
bool has_other_state(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with("lock") && !name.ends_with(".new") && !entry.is_socket(error)) return true;
  }
  return false;
}

uint64_t clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

std::expected<SessionCounter, StartFailure> SessionCounter::open(const std::string& state_dir) {
  const std::string path = state_dir + "/" + std::string(kFileName);
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
