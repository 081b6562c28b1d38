#include "daemon/loop/event_loop.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace pqd {
namespace {

// Not by plain read(): O_NONBLOCK belongs to the open file, which whoever shares the eventfd can change, and
// whose counter it can empty before us.
void drain(int event_fd) {
  uint64_t count = 0;
  iovec into{&count, sizeof count};
  const ssize_t n = ::preadv2(event_fd, &into, 1, -1, RWF_NOWAIT);
  if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) return;
  // Linux before 5.8, or a sandbox: as good as it gets there.
  [[maybe_unused]] const ssize_t plain = ::read(event_fd, &count, sizeof count);
}

// glibc 2.36 declares pidfd_open without C linkage.
int open_pidfd(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

[[noreturn]] void abort_broken(const char* what, int error) {
  std::fprintf(stderr, "event loop: %s: %s\n", what, std::strerror(error));
  std::abort();
}

}  // namespace

std::optional<BackendChoice> parse_backend_choice(std::string_view text) {
  if (text == "auto") return BackendChoice::kAuto;
  if (text == "io_uring") return BackendChoice::kUring;
  if (text == "epoll") return BackendChoice::kEpoll;
  return std::nullopt;
}

std::expected<std::unique_ptr<EventLoop>, std::string> EventLoop::create(BackendChoice choice) {
  UniqueFd wake_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_fd) return std::unexpected(std::string("eventfd: ") + std::strerror(errno));
  auto kind = choice == BackendChoice::kEpoll ? BackendChoice::kEpoll : BackendChoice::kUring;
  auto made = kind == BackendChoice::kEpoll ? make_epoll_backend() : make_uring_backend();
  if (!made && choice == BackendChoice::kAuto) {
    const std::string why = made.error();
    kind = BackendChoice::kEpoll;
    made = make_epoll_backend();
    if (made) made->description = "epoll: " + why;
  }
  if (!made) return std::unexpected(made.error());
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(*made), kind, std::move(wake_fd)));
}

EventLoop::EventLoop(MadeBackend made, BackendChoice kind, UniqueFd wake_fd)
    : backend_(std::move(made.backend)),
      backend_kind_(kind),
      description_(std::move(made.description)),
      wake_fd_(std::move(wake_fd)) {
  watch_doorbell(wake_fd_.get(), [] {});
}

EventLoop::~EventLoop() = default;

int64_t EventLoop::monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

WatchId EventLoop::add(Watch watch) {
  const WatchId id = next_watch_++;
  const int error = backend_->watch(watch.fd, id, watch.readiness);
  if (error != 0) abort_broken("a descriptor cannot be watched", error);
  watches_.emplace(id, std::make_shared<Watch>(std::move(watch)));
  return id;
}

WatchId EventLoop::watch(int fd, Handler handler) {
  return add({fd, Readiness::kLevel, std::move(handler), {}});
}

WatchId EventLoop::watch_doorbell(int event_fd, Handler handler) {
  return add({event_fd, Readiness::kDrained, std::move(handler), {}});
}

void EventLoop::unwatch(WatchId id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  backend_->unwatch(found->second->fd, id);
  watches_.erase(found);
}

std::expected<WatchId, int> EventLoop::watch_child(int pid, ChildHandler handler) {
  UniqueFd pidfd(open_pidfd(pid));
  if (!pidfd) return std::unexpected(errno);
  const int fd = pidfd.get();
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(fd), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    return std::unexpected(errno);
  }
  const WatchId id = next_watch_;
  return add({fd, Readiness::kLevel, [this, id, handler = std::move(handler)] { child_ready(id, handler); },
              std::move(pidfd)});
}

// By pidfd and not by pid: the pid may name another child once somebody else reaped this one.
void EventLoop::child_ready(WatchId id, const ChildHandler& handler) {
  siginfo_t info{};
  const int pidfd = watches_.at(id)->fd;
  const bool reaped = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) == 0;
  if (reaped && info.si_pid == 0) return;  // not yet
  unwatch(id);
  handler(reaped ? info.si_code : 0, reaped ? info.si_status : 0);
}

TimerId EventLoop::arm_timer(int64_t deadline_ns, Handler handler) {
  return timers_.add(std::max(deadline_ns, earliest_deadline_ns_), std::move(handler));
}

void EventLoop::cancel_timer(TimerId id) { timers_.cancel(id); }

void EventLoop::write_file(int fd, std::span<const std::byte> bytes, uint64_t offset, bool sync,
                           WriteDone done) {
  backend_->write_file(fd, bytes, offset, sync,
                       [this, done = std::move(done)](std::expected<size_t, int> result) {
                         ++handled_;
                         done(result);
                       });
}

void EventLoop::ready(uint64_t tag) {
  const auto found = watches_.find(tag);
  if (found == watches_.end()) return;  // taken back meanwhile
  const std::shared_ptr<Watch> watch = found->second;
  if (watch->readiness == Readiness::kDrained) drain(watch->fd);
  ++handled_;
  watch->handler();
}

size_t EventLoop::run_timers() {
  if (timers_.empty()) return 0;
  size_t ran = 0;
  const int64_t now = monotonic_ns();
  earliest_deadline_ns_ = now + 1;
  while (const auto handler = timers_.take_due(now)) {
    (*handler)();
    ++ran;
  }
  earliest_deadline_ns_ = 0;
  return ran;
}

size_t EventLoop::run(int64_t timeout_ns) {
  if (running_) abort_broken("run() called by a handler", EDEADLK);
  running_ = true;
  handled_ = 0;
  handled_ += run_timers();
  if (handled_ != 0) timeout_ns = 0;
  if (timeout_ns != 0 && !timers_.empty()) {
    const int64_t until_timer = std::max<int64_t>(timers_.next_deadline_ns() - monotonic_ns(), 0);
    timeout_ns = timeout_ns < 0 ? until_timer : std::min(timeout_ns, until_timer);
  }
  backend_->run(timeout_ns, [this](uint64_t tag) { ready(tag); });
  handled_ += run_timers();
  running_ = false;
  return handled_;
}

void EventLoop::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_fd_.get(), &one, sizeof one);
}

}  // namespace pqd
