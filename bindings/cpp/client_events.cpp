// The client in somebody else's event loop: one descriptor that stands for the doorbell, the socket and,
// while the daemon is away, the time of the next attempt.
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "bindings/cpp/client_core.h"

namespace pqd {
namespace {

bool add_to(int events, int fd) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  return ::epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

int ClientCore::fd() {
  if (!check_usable()) return -1;
  if (events_) return events_.get();
  UniqueFd events(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!events || !timer || !add_to(events.get(), timer.get())) return -1;
  events_ = std::move(events);
  retry_timer_ = std::move(timer);
  watch_session();
  if (away_) set_retry_timer();
  return events_.get();
}

// A closed descriptor leaves the set by itself.
void ClientCore::watch_session() {
  if (!events_ || away_) return;
  add_to(events_.get(), session_->engine_doorbell.get());
  add_to(events_.get(), session_->socket.get());
  const itimerspec never{};
  ::timerfd_settime(retry_timer_.get(), 0, &never, nullptr);
}

void ClientCore::set_retry_timer() {
  if (!retry_timer_) return;
  // At least one: zero would turn it off.
  const auto wait = std::max(Deadline::at(next_attempt_).left(), Milliseconds(1));
  itimerspec when{};
  when.it_value.tv_sec = wait.count() / 1000;
  when.it_value.tv_nsec = wait.count() % 1000 * 1'000'000;
  ::timerfd_settime(retry_timer_.get(), 0, &when, nullptr);
}

Result<void> ClientCore::process() {
  if (auto usable = check_usable(); !usable) return usable;
  disarm_waiter();
  session_->waiter.drain();
  pump();
  socket_seen_ = {};
  look_at_socket();
  restore_if_due();
  if (!away_) return {};
  if (options_.reconnect_timeout_ms != 0) set_retry_timer();
  if (give_up_at().passed()) return std::unexpected(away_failure());
  return {};
}

bool ClientCore::arm() {
  if (!check_usable()) return false;
  if (away_) return !any_jobs() && watches_.empty();
  disarm_waiter();
  session_->waiter.drain();
  arm_waiter();
  const bool news = pump();
  return !news && !any_jobs() && watches_.empty();
}

}  // namespace pqd
