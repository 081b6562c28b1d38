#include "daemon/store/format_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/limits.h"
#include "shm/unique_fd.h"

namespace pqd {
namespace {

constexpr std::string_view kMark = "pqd ";
constexpr unsigned kFormats = 100;  // the partitions stand before them
static_assert(kStoreFormat < kFormats && kPartitionedFormat < kFormats);

std::unexpected<StoreError> system_failure(const std::string& what) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  std::string text = what + ": " + std::strerror(errno);
  if (full) text += ": free space, then start again";
  return std::unexpected(StoreError{full ? Error::kNoSpace : Error::kSystemError, text, true});
}

std::unexpected<StoreError> refusal(std::string text, Error code = Error::kSystemError) {
  return std::unexpected(StoreError{code, std::move(text), true});
}

StoreResult<void> write_format(const std::string& directory, uint32_t partitions) {
  const unsigned number = partitions == 1 ? kStoreFormat : partitions * kFormats + kPartitionedFormat;
  const std::string path = directory + "/format";
  const std::string fresh = path + ".new";
  const std::string line = std::string(kMark) + std::to_string(number) + "\n";
  const UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return system_failure("cannot make " + fresh);
  errno = ENOSPC;  // what a short write means
  if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return system_failure("cannot write " + fresh);
  if (::fsync(fd.get()) != 0) return system_failure("cannot sync " + fresh);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return system_failure("cannot rename " + fresh);
  return sync_directory(directory);
}

StoreResult<uint32_t> judge(const std::string& directory, std::string_view line) {
  unsigned number = 0;
  const bool marked = line.starts_with(kMark) && line.ends_with('\n');
  if (marked) line = line.substr(kMark.size(), line.size() - kMark.size() - 1);
  const char* const line_end = line.data() + line.size();
  const auto [end, error] = std::from_chars(line.data(), line_end, number);
  if (!marked || error != std::errc{} || end != line_end)
    return refusal(directory + "/format is not pqd's: give pqd a directory of its own");
  const uint32_t partitions = number / kFormats;
  const unsigned format = number % kFormats;
  if (partitions == 0 && format == kStoreFormat) return 1;
  const bool several = partitions > 1 && partitions <= limits::kPartitionsMax;
  if (several && format == kPartitionedFormat) return partitions;
  const std::string has = several
                              ? std::to_string(format) + " with " + std::to_string(partitions) + " partitions"
                              : std::to_string(number);
  return refusal("the store in " + directory + " has format " + has + ", this pqd knows format " +
                 std::to_string(several ? kPartitionedFormat : kStoreFormat) + ": use the pqd that wrote it" +
                 (several && format < kPartitionedFormat ? "" : ", or a newer one"));
}

}  // namespace

StoreResult<void> sync_directory(const std::string& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return system_failure("cannot sync " + directory);
  return {};
}

StoreResult<uint32_t> check_format(const std::string& directory, bool create, uint32_t partitions) {
  const std::string path = directory + "/format";
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) {
    char line[64];
    const ssize_t n = ::read(fd.get(), line, sizeof line);
    if (n < 0) return system_failure("cannot read " + path);
    return judge(directory, {line, static_cast<size_t>(n)});
  }
  if (errno != ENOENT) return system_failure("cannot open " + path);
  struct stat there {};
  if (::stat((directory + "/db").c_str(), &there) == 0)
    return refusal(directory + "/db is there, but no " + path +
                   ": not a state directory of pqd, give it one of its own");
  if (!create) return refusal("there is no store in " + directory, Error::kNotFound);
  if (auto written = write_format(directory, partitions); !written) return std::unexpected(written.error());
  return partitions;
}

}  // namespace pqd
