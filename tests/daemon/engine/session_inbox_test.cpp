// What one thread hears for another.
#include "daemon/engine/session_inbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace pqd {
namespace {

TEST(SessionInbox, GivesAllInTheirOrderAndWakesWhoSleeps) {
  constexpr uint64_t kNews = 2'000;
  SessionInbox inbox;
  auto loop = EventLoop::create(BackendChoice::kEpoll).value();
  inbox.open(*loop);
  std::thread hears([&] {
    for (uint64_t i = 1; i <= kNews; ++i) inbox.put(SessionLeft{i});
    inbox.put(StopAsked{});
  });
  uint64_t next = 1;
  for (bool stopped = false; !stopped;) {
    loop->run(-1);  // a wake-up that is lost stands here until the watchdog of the whole test
    for (const SessionNews& news : inbox.take()) {
      if (const auto* left = std::get_if<SessionLeft>(&news)) {
        EXPECT_EQ(left->session, next++);
      }
      stopped |= std::holds_alternative<StopAsked>(news);
    }
  }
  hears.join();
  EXPECT_EQ(next, kNews + 1);
}

TEST(SessionInbox, TakesNothingAnyMoreWhenItIsClosed) {
  SessionInbox inbox;
  inbox.put(StopAsked{});
  EXPECT_TRUE(inbox.take().empty()) << "nor before it is open";
  auto loop = EventLoop::create(BackendChoice::kEpoll).value();
  inbox.open(*loop);
  inbox.close();
  loop.reset();
  inbox.put(StopAsked{});
  EXPECT_TRUE(inbox.take().empty());
}

}  // namespace
}  // namespace pqd
