// What the supervisor says about a partition's sessions, on its way from the thread that hears it to the one
// that serves them, in the order in which it was said. One thread puts; another one opens, takes and closes.
#pragma once

#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "core/job.h"
#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/engine_link.h"

namespace pqd {

struct SessionLeft {
  SessionNo session = 0;
};
struct StopAsked {};
// A grant: a session was opened, with the descriptors of this process.
using SessionNews = std::variant<SessionGrant, SessionLeft, StopAsked>;

class SessionInbox {
 public:
  // The loop of who takes: woken by each put().
  void open(EventLoop& loop) {
    const std::lock_guard lock(mutex_);
    loop_ = &loop;
  }
  // Nobody takes any more.
  void close() {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }
  void put(SessionNews news) {
    const std::lock_guard lock(mutex_);
    if (loop_ == nullptr) return;
    news_.push_back(std::move(news));
    loop_->wake();
  }
  std::vector<SessionNews> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, {});
  }

 private:
  std::mutex mutex_;  // guards the following
  EventLoop* loop_ = nullptr;
  std::vector<SessionNews> news_;
};

}  // namespace pqd
