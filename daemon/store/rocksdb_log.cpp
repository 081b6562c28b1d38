#include "daemon/store/rocksdb_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <ctime>

#include "shm/unique_fd.h"

namespace pqd {
namespace {

constexpr size_t kLogBytesMax = 8u << 20;  // then it is silent until the next start
constexpr size_t kLineBytesMax = 2'048;

class Log final : public rocksdb::Logger {
 public:
  explicit Log(UniqueFd fd) : Logger(rocksdb::WARN_LEVEL), fd_(std::move(fd)) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, kLineBytesMax> line;
    const time_t now = ::time(nullptr);
    struct tm utc {};
    ::gmtime_r(&now, &utc);
    size_t bytes = std::strftime(line.data(), line.size(), "%Y-%m-%dT%H:%M:%SZ ", &utc);
    const int more = std::vsnprintf(line.data() + bytes, line.size() - bytes, format, arguments);
    if (more < 0) return;
    bytes = std::min(bytes + static_cast<size_t>(more), line.size() - 1);
    if (line[bytes - 1] != '\n') line[bytes++] = '\n';
    // relaxed: a bound that a few lines may pass.
    if (written_.fetch_add(bytes, std::memory_order_relaxed) > kLogBytesMax) return;
    // One call, so that lines of several threads do not mix. One that fails is left out.
    [[maybe_unused]] const ssize_t done = ::write(fd_.get(), line.data(), bytes);
  }

 private:
  UniqueFd fd_;
  std::atomic<size_t> written_{0};
};

}  // namespace

std::shared_ptr<rocksdb::Logger> open_rocksdb_log(const std::string& directory) {
  const std::string path = directory + "/LOG";
  // What fails here fails again, and is told, when RocksDB makes its files.
  ::mkdir(directory.c_str(), 0755);
  ::rename(path.c_str(), (path + ".old").c_str());
  return std::make_shared<Log>(
      UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)));
}

}  // namespace pqd
