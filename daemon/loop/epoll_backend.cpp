#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>
#include <vector>

#include "daemon/loop/backend.h"
#include "shm/unique_fd.h"

namespace pqd {
namespace {

std::expected<size_t, int> write_all(int fd, std::span<const std::byte> bytes, uint64_t offset, bool sync) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pwrite(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::unexpected(n == 0 ? EIO : errno);
    done += static_cast<size_t>(n);
  }
  if (sync && ::fdatasync(fd) != 0) return std::unexpected(errno);
  return done;
}

int whole_ms(int64_t timeout_ns) {
  if (timeout_ns < 0) return -1;
  // Rounded up, lest the last fraction before a timer becomes a spin.
  const int64_t ms = timeout_ns / 1'000'000 + (timeout_ns % 1'000'000 != 0);
  return static_cast<int>(std::min<int64_t>(ms, INT_MAX));
}

class EpollBackend final : public Backend {
 public:
  explicit EpollBackend(UniqueFd epoll) : epoll_(std::move(epoll)) {}

  // Level-triggered for both kinds: a drained descriptor is not ready any more.
  int watch(int fd, uint64_t tag, Readiness /*readiness*/) override {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.u64 = tag;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
  }
  void unwatch(int fd, uint64_t /*tag*/) override { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

  void run(int64_t timeout_ns, const Sink& sink) override {
    auto finished = std::exchange(finished_, {});
    for (const auto& [done, result] : finished) done(result);
    std::array<epoll_event, 64> events;
    const int n = wait(events, finished.empty() ? timeout_ns : 0);
    for (int i = 0; i < n; ++i) sink(events[static_cast<size_t>(i)].data.u64);
  }

  // There and then: without io_uring a file can only be waited for. The news is kept for run(), so that a
  // caller sees the same order of things in both backends.
  void write_file(int fd, std::span<const std::byte> bytes, uint64_t offset, bool sync,
                  WriteDone done) override {
    finished_.emplace_back(std::move(done), write_all(fd, bytes, offset, sync));
  }

 private:
  int wait(std::span<epoll_event> events, int64_t timeout_ns) {
    const int count = static_cast<int>(events.size());
    if (fine_timeouts_) {
      const timespec limit{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
      const int n =
          ::epoll_pwait2(epoll_.get(), events.data(), count, timeout_ns < 0 ? nullptr : &limit, nullptr);
      if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return n;
      // Linux before 5.11, or one of the filters that made us use epoll at all.
      fine_timeouts_ = false;
    }
    return ::epoll_wait(epoll_.get(), events.data(), count, whole_ms(timeout_ns));
  }

  UniqueFd epoll_;
  bool fine_timeouts_ = true;
  std::vector<std::pair<WriteDone, std::expected<size_t, int>>> finished_;
};

}  // namespace

std::expected<MadeBackend, std::string> make_epoll_backend() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return std::unexpected(std::string("epoll_create1: ") + std::strerror(errno));
  return MadeBackend{std::make_unique<EpollBackend>(std::move(epoll)), "epoll, as configured"};
}

}  // namespace pqd
