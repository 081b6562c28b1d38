#include "daemon/zone/zone_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/schedule_record.h"
#include "daemon/zone/tzif_zone.h"
#include "shm/unique_fd.h"

namespace pqd {
namespace {

// The largest of the system's is 4 KiB.
constexpr int64_t kFileBytesMax = 256 * 1024;

Bytes read_all(int fd, size_t bytes) {
  Bytes content(bytes);
  size_t at = 0;
  while (at < bytes) {
    const ssize_t got = ::read(fd, content.data() + at, bytes - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    at += static_cast<size_t>(got);
  }
  content.resize(at);
  return content;
}

}  // namespace

std::shared_ptr<const ZoneRules> ZoneFiles::find(std::string_view name) {
  if (name == "UTC") return std::make_shared<UtcRules>();
  if (!valid_zone_name(name)) return nullptr;
  const std::string path = directory_ + "/" + std::string(name);
  // O_NONBLOCK: should it be a pipe, nobody waits for its other end.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return nullptr;
  if (!S_ISREG(info.st_mode) || info.st_size > kFileBytesMax) return nullptr;
  const int64_t changed_ns = int64_t{info.st_mtim.tv_sec} * kSecondNs + info.st_mtim.tv_nsec;
  const auto known = known_.find(name);
  if (known != known_.end() && known->second.changed_ns == changed_ns && known->second.bytes == info.st_size)
    return known->second.rules;
  auto zone = TzifZone::parse(read_all(fd.get(), static_cast<size_t>(info.st_size)));
  if (!zone) return nullptr;
  auto rules = std::make_shared<const TzifZone>(std::move(*zone));
  known_.insert_or_assign(std::string(name), Known{changed_ns, info.st_size, rules});
  return rules;
}

}  // namespace pqd
