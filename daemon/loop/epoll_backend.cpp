#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

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

class EpollBackend final : public Backend {
 public:
  explicit EpollBackend(UniqueFd epoll) : epoll_(std::move(epoll)) {}

  int watch(int fd, uint64_t tag) override {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.u64 = tag;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
  }
  void unwatch(int fd, uint64_t /*tag*/) override { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

  void run(int64_t timeout_ns, const Sink& sink) override {
    std::array<epoll_event, 64> events;
    const timespec limit{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
    const int n = ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 timeout_ns < 0 ? nullptr : &limit, nullptr);
    for (int i = 0; i < n; ++i) sink(events[static_cast<size_t>(i)].data.u64);
  }

  void write_file(int fd, std::span<const std::byte> bytes, uint64_t offset, bool sync,
                  WriteDone done) override {
    done(write_all(fd, bytes, offset, sync));
  }

 private:
  UniqueFd epoll_;
};

}  // namespace

std::expected<MadeBackend, std::string> make_epoll_backend() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return std::unexpected(std::string("epoll_create1: ") + std::strerror(errno));
  return MadeBackend{std::make_unique<EpollBackend>(std::move(epoll)), "epoll, as configured"};
}

}  // namespace pqd
