// Messages on their way to the engine, in order. What its socket does not take at once waits here, so that an
// engine that recovers or hangs does not hold up its supervisor. Belongs to the loop's thread.
#pragma once

#include <array>
#include <deque>

#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/engine_link.h"

namespace pqd {

class EngineOutbox {
 public:
  EngineOutbox(EventLoop& loop) : loop_(loop) {}
  ~EngineOutbox() { disconnect(); }
  EngineOutbox(const EngineOutbox&) = delete;
  EngineOutbox& operator=(const EngineOutbox&) = delete;

  // `link_fd` stays the caller's, until disconnect(), which drops what has not been sent.
  void connect(int link_fd) { link_fd_ = link_fd; }
  void disconnect();

  void send(const LinkMessage& message);
  // kSessionOpened, whose descriptors stay the caller's until they were sent or withdrawn.
  void send(const LinkMessage& message, const std::array<int, 4>& fds);
  // Takes back a kSessionOpened that the engine has not been told; false when it has.
  bool withdraw(uint64_t session);

 private:
  struct Letter {
    LinkMessage message;
    std::array<int, 4> fds{};
    size_t fd_count = 0;
  };

  void put(Letter letter);
  void flush();

  EventLoop& loop_;
  int link_fd_ = -1;
  std::deque<Letter> letters_;
  TimerId retry_timer_ = 0;
};

}  // namespace pqd
