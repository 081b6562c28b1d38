#include "daemon/loop/event_loop.h"

#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace pqd {
namespace {

void drain(int event_fd) {
  uint64_t count = 0;
  // EAGAIN: somebody else's ring was taken back with an earlier one.
  [[maybe_unused]] const ssize_t n = ::read(event_fd, &count, sizeof count);
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
  auto made = choice == BackendChoice::kEpoll ? make_epoll_backend() : make_uring_backend();
  if (!made && choice == BackendChoice::kAuto) {
    const std::string why = made.error();
    made = make_epoll_backend();
    if (made) made->description = "epoll: " + why;
  }
  if (!made) return std::unexpected(made.error());
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(*made), std::move(wake_fd)));
}

EventLoop::EventLoop(MadeBackend made, UniqueFd wake_fd)
    : backend_(std::move(made.backend)),
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
  const int fd = watch.fd;
  watches_.emplace(id, std::make_shared<Watch>(std::move(watch)));
  backend_->watch(fd, id);
  return id;
}

WatchId EventLoop::watch(int fd, Handler handler) { return add({fd, false, std::move(handler), {}}); }

WatchId EventLoop::watch_doorbell(int event_fd, Handler handler) {
  return add({event_fd, true, std::move(handler), {}});
}

void EventLoop::unwatch(WatchId id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  backend_->unwatch(found->second->fd, id);
  watches_.erase(found);
}

std::expected<WatchId, int> EventLoop::watch_child(int pid, ChildHandler handler) {
  UniqueFd pidfd(::pidfd_open(pid, 0));
  if (!pidfd) return std::unexpected(errno);
  const int fd = pidfd.get();
  const WatchId id = next_watch_;
  return add({fd, false,
              [this, id, pid, handler = std::move(handler)] {
                siginfo_t info{};
                if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0 ||
                    info.si_pid == 0)
                  return;
                const ChildHandler call = handler;
                unwatch(id);
                call(info.si_code, info.si_status);
              },
              std::move(pidfd)});
}

TimerId EventLoop::arm_timer(int64_t deadline_ns, Handler handler) {
  const TimerId id = next_timer_++;
  timers_.emplace(std::pair{deadline_ns, id}, std::move(handler));
  timer_deadlines_.emplace(id, deadline_ns);
  return id;
}

void EventLoop::cancel_timer(TimerId id) {
  const auto found = timer_deadlines_.find(id);
  if (found == timer_deadlines_.end()) return;
  timers_.erase({found->second, id});
  timer_deadlines_.erase(found);
}

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
  if (watch->doorbell) drain(watch->fd);
  ++handled_;
  watch->handler();
}

size_t EventLoop::run_timers() {
  size_t ran = 0;
  const int64_t now = timers_.empty() ? 0 : monotonic_ns();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto node = timers_.extract(timers_.begin());
    timer_deadlines_.erase(node.key().second);
    node.mapped()();
    ++ran;
  }
  return ran;
}

size_t EventLoop::run(int64_t timeout_ns) {
  handled_ = run_timers();
  if (handled_ != 0) timeout_ns = 0;
  if (timeout_ns != 0 && !timers_.empty()) {
    const int64_t until_timer = std::max<int64_t>(timers_.begin()->first.first - monotonic_ns(), 0);
    timeout_ns = timeout_ns < 0 ? until_timer : std::min(timeout_ns, until_timer);
  }
  backend_->run(timeout_ns, [this](uint64_t tag) { ready(tag); });
  handled_ += run_timers();
  return handled_;
}

void EventLoop::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_fd_.get(), &one, sizeof one);
}

}  // namespace pqd
