#include "daemon/supervisor/open_files.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace pqd {
namespace {

// Socket, two memory files, two doorbells; until the Welcome also the client's end of one of them.
constexpr uint64_t kFdsPerSession = 5;
constexpr uint64_t kFdsBeside = 64;
// The engine's own, of which RocksDB takes the most; see max_open_files in daemon/store/tuning.cpp.
constexpr uint64_t kFdsMin = 192;

// Each time anew: somebody may raise it while we run.
rlim_t soft_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

}  // namespace

std::expected<void, StartFailure> raise_open_files(uint32_t sessions_max) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < kFdsMin)
    return std::unexpected(
        StartFailure{kExitSystem, fmt::format("{} open files are allowed, pqd takes {} at least: {}",
                                              limit.rlim_max, kFdsMin, kRaiseOpenFiles)});
  if (limit.rlim_max < sessions_max * kFdsPerSession + kFdsBeside)
    spdlog::warn("{} open files are allowed, {} sessions would take more: {}, or lower sessions_max",
                 limit.rlim_max, sessions_max, kRaiseOpenFiles);
  return {};
}

bool leaves_few(int fd, uint64_t kept) { return static_cast<uint64_t>(fd) + 1 + kept > soft_limit(); }

std::string no_open_files_text() {
  return fmt::format("all of the {} open files that are allowed are taken: {}, or end sessions", soft_limit(),
                     kRaiseOpenFiles);
}

void close_all_but(std::vector<int> keep) {
  std::ranges::sort(keep);
  unsigned first = 0;
  for (const int fd : keep) {
    if (fd < 0) continue;
    const auto number = static_cast<unsigned>(fd);
    if (number > first) ::close_range(first, number - 1, 0);
    first = number + 1;
  }
  ::close_range(first, ~0U, 0);
}

}  // namespace pqd
