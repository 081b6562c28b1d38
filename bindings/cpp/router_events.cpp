// The client in somebody else's event loop: one descriptor that stands for the doorbells and sockets of all
// its sessions and for the time at which one of them has something to do by itself.
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>

#include "bindings/cpp/client_router.h"

namespace pqd {
namespace {

bool add(int events, int fd) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  return ::epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

int ClientRouter::fd() {
  if (!check_usable()) return -1;
  if (events_) return events_.get();
  UniqueFd events(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!events || !timer || !add(events.get(), timer.get())) return -1;
  events_ = std::move(events);
  timer_ = std::move(timer);
  for (const auto& core : cores_) core->watch_session();
  set_timer();
  return events_.get();
}

void ClientRouter::add_to_events(int fd) {
  if (events_) add(events_.get(), fd);
}

void ClientRouter::remove_from_events(int fd) {
  if (events_) ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void ClientRouter::set_timer() {
  if (!timer_) return;
  const Deadline never = Deadline::in(kForever);
  Deadline next = never;
  for (const auto& core : cores_) next = earlier(next, core->wake_at(false));
  // Each look at the client comes by here; a time that has come stays readable until there is another one.
  if (next.when() == timer_at_.when()) return;
  timer_at_ = next;
  itimerspec when{};  // zero: never
  if (next.when() != never.when()) {
    // At least one: zero would turn it off.
    const auto wait = std::max(next.left(), Milliseconds(1));
    when.it_value.tv_sec = wait.count() / 1000;
    when.it_value.tv_nsec = wait.count() % 1000 * 1'000'000;
  }
  ::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

Result<void> ClientRouter::process() {
  if (auto usable = check_usable(); !usable) return usable;
  for (const auto& core : cores_) {
    core->disarm_waiter();
    core->drain_waiter();
    core->pump();
    core->look_at_socket(true);
    core->restore_if_due();
  }
  set_timer();
  if (first_gone(nullptr) != nullptr) return std::unexpected(waited_failure(Waited::kAway, {}));
  return {};
}

bool ClientRouter::arm() {
  if (!check_usable()) return false;
  bool news = false;
  for (const auto& core : cores_) {
    if (core->away()) continue;
    core->disarm_waiter();
    core->drain_waiter();
    core->arm_waiter();
    news |= core->pump();
  }
  set_timer();
  return !news && core_with_jobs() == nullptr && core_with_events() == nullptr;
}

}  // namespace pqd
