#include "shm/doorbell.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "shm/ring.h"
#include "tests/shm/fixtures.h"

namespace pqd {
namespace {

using test::make_event;
using test::take_rings;

struct Pages {
  WakePage wake{};
  UpHeader up{};
  DownHeader down{};
  UniqueFd to_engine = make_event();
  ClientBellEnds to_client = make_client_bell().value();

  EngineBell engine_bell() { return {wake, down, to_engine.get()}; }
  ClientBell client_bell() { return {down, up, to_client.engine.get()}; }
  Waiter waiter() { return {up, to_client.client.get()}; }
};

TEST(Doorbell, AnAwakeWorkerIsNotRung) {
  Pages pages;
  EngineBell bell = pages.engine_bell();
  Sleeper sleeper(pages.wake);
  bell.ring_if_sleeping();
  sleeper.arm();
  sleeper.disarm();
  bell.ring_if_sleeping();
  EXPECT_EQ(take_rings(pages.to_engine), 0u);
}

TEST(Doorbell, ASleepingWorkerIsRungOnceForEachArming) {
  Pages pages;
  EngineBell bell = pages.engine_bell();
  Sleeper sleeper(pages.wake);
  sleeper.arm();
  for (int i = 0; i < 100; ++i) bell.ring_if_sleeping();
  EXPECT_EQ(take_rings(pages.to_engine), 1u);
  sleeper.disarm();
  sleeper.arm();
  for (int i = 0; i < 100; ++i) bell.ring_if_sleeping();
  EXPECT_EQ(take_rings(pages.to_engine), 1u);
}

TEST(Doorbell, EveryClientOfAWorkerRingsForItself) {
  Pages pages;
  const UniqueFd other_event = make_event();
  EngineBell bell = pages.engine_bell();
  EngineBell other(pages.wake, pages.down, other_event.get());
  Sleeper sleeper(pages.wake);
  sleeper.arm();
  bell.ring_if_sleeping();
  other.ring_if_sleeping();
  EXPECT_EQ(take_rings(pages.to_engine), 1u);
  EXPECT_EQ(take_rings(other_event), 1u);
}

TEST(Doorbell, AnEngineThatFollowsOneThatDiedAsleepIsRungAgain) {
  Pages pages;
  EngineBell bell = pages.engine_bell();
  {
    Sleeper dies(pages.wake);
    dies.arm();
    bell.ring_if_sleeping();
    EXPECT_EQ(take_rings(pages.to_engine), 1u);
  }
  Sleeper successor(pages.wake);
  bell.ring_if_sleeping();
  EXPECT_EQ(take_rings(pages.to_engine), 0u);
  successor.arm();
  bell.ring_if_sleeping();
  EXPECT_EQ(take_rings(pages.to_engine), 1u);
}

TEST(Doorbell, ReadingWakesTheEngineOnlyWhenItsOutboxIsBlocked) {
  Pages pages;
  EngineBell bell = pages.engine_bell();
  Sleeper sleeper(pages.wake);
  sleeper.arm();
  bell.ring_if_blocked();
  EXPECT_EQ(take_rings(pages.to_engine), 0u);
  sleeper.disarm();
  set_outbox_blocked(pages.down, true);
  bell.ring_if_blocked();
  EXPECT_EQ(take_rings(pages.to_engine), 0u);
  sleeper.arm();
  bell.ring_if_blocked();
  EXPECT_EQ(take_rings(pages.to_engine), 1u);
}

TEST(Doorbell, AWaitingClientIsRungOnceAndTheBellChangesEachTime) {
  Pages pages;
  ClientBell bell = pages.client_bell();
  Waiter waiter = pages.waiter();
  bell.ring_if_waiting();
  EXPECT_EQ(take_rings(pages.to_client.client), 0u);
  EXPECT_EQ(pages.down.bell.load(), 1u);
  waiter.arm();
  for (int i = 0; i < 10; ++i) bell.ring_if_waiting();
  EXPECT_EQ(pages.down.bell.load(), 11u);
  EXPECT_TRUE(waiter.wait(test::kWatchdogMs));
  waiter.disarm();
  EXPECT_EQ(take_rings(pages.to_client.client), 0u);
}

// Left over, it ends one sleep; the next one is ended by the next ring.
void expect_one_ring_too_many(Waiter& waiter, ClientBell& bell) {
  waiter.arm();
  EXPECT_TRUE(waiter.wait(0));
  waiter.disarm();
  waiter.arm();
  EXPECT_FALSE(waiter.wait(0));
  bell.ring_if_waiting();
  EXPECT_TRUE(waiter.wait(test::kWatchdogMs));
}

TEST(Doorbell, ARingThatCameAfterTheWaitWasOverDoesNoHarm) {
  Pages pages;
  ClientBell bell = pages.client_bell();
  Waiter waiter = pages.waiter();
  waiter.arm();
  bell.ring_if_waiting();
  waiter.disarm();
  expect_one_ring_too_many(waiter, bell);
}

TEST(Doorbell, AFullEventfdHoldsNobodyUp) {
  Pages pages;
  const uint64_t nearly_full = ~uint64_t{0} - 1;
  ASSERT_EQ(::write(pages.to_engine.get(), &nearly_full, sizeof nearly_full), 8);
  EngineBell bell = pages.engine_bell();
  Sleeper sleeper(pages.wake);
  sleeper.arm();
  bell.ring_if_sleeping();
  EXPECT_EQ(take_rings(pages.to_engine), nearly_full);
}

// A client may do anything to what it holds of its doorbell, and never read. The engine has to come back.
TEST(Doorbell, SharedWithSomebodyHostileDoesNotBlockTheEngine) {
  EXPECT_TRUE(test::succeeds_in_child([] {
    Pages pages;
    const int theirs = pages.to_client.client.get();
    if (::fcntl(theirs, F_SETFL, 0) != 0) return false;
    ClientBell bell = pages.client_bell();
    for (uint32_t word = 1; word < 10'000; word += 2) {
      pages.up.waiting.store(word);
      bell.ring_if_waiting();
    }
    return true;
  }));
}

// Descriptors among it would be the daemon's to close.
TEST(Doorbell, OfTheEngineTakesNothingFromItsClient) {
  const Pages pages;
  EXPECT_EQ(::send(pages.to_client.client.get(), "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST(Doorbell, OfAClientThatClosedItsEndHoldsNobodyUp) {
  Pages pages;
  Waiter waiter = pages.waiter();
  waiter.arm();
  pages.to_client.client.reset();
  pages.client_bell().ring_if_waiting();  // without SIGPIPE
}

TEST(Doorbell, OfADaemonThatIsGoneSaysSoBehindItsRings) {
  Pages pages;
  Waiter waiter = pages.waiter();
  waiter.arm();
  pages.client_bell().ring_if_waiting();
  waiter.drain();
  EXPECT_FALSE(waiter.ended());
  waiter.drain();
  EXPECT_FALSE(waiter.ended()) << "there was nothing to take";
  pages.to_client.engine.reset();
  waiter.drain();
  EXPECT_TRUE(waiter.ended());
}

TEST(Doorbell, ThatIsFullIsAnsweredOnceAndRingsAgain) {
  Pages pages;
  ClientBell bell = pages.client_bell();
  Waiter waiter = pages.waiter();
  // Each rung for, but never slept on.
  for (int i = 0; i < 1'000; ++i) {
    waiter.arm();
    bell.ring_if_waiting();
    waiter.disarm();
  }
  expect_one_ring_too_many(waiter, bell);
}

// Libraries of before read eight bytes a time; daemons of before gave an eventfd.
TEST(Doorbell, IsUnderstoodByEarlierLibrariesAndOfEarlierDaemons) {
  Pages pages;
  ClientBell bell = pages.client_bell();
  pages.up.waiting.store(1);
  bell.ring_if_waiting();
  EXPECT_EQ(take_rings(pages.to_client.client), 1u);
  EXPECT_EQ(take_rings(pages.to_client.client), 0u);
  const UniqueFd event = make_event();
  Waiter waiter(pages.up, event.get());
  const uint64_t rings = 40;
  ASSERT_EQ(::write(event.get(), &rings, sizeof rings), 8);
  EXPECT_TRUE(waiter.wait(0));
  EXPECT_FALSE(waiter.wait(0));
}

// One request, one answer, both sides asleep in between whenever they manage to: a wake-up that is lost
// leaves both asleep for good, and the watchdog of poll() says so.
class PingPong {
 public:
  explicit PingPong(uint64_t rounds) : rounds_(rounds) {}

  // True when every round came to its end.
  bool engine() {
    Sleeper sleeper(pages_.wake);
    ClientBell bell = pages_.client_bell();
    for (uint64_t done = 0; done < rounds_;) {
      const uint64_t tail = pages_.up.tail[0].load(std::memory_order_acquire);
      if (tail != done) {
        done = tail;
        pages_.down.lanes[0].applied.store(done, std::memory_order_release);
        bell.ring_if_waiting();
      } else if (!sleep(sleeper, done)) {
        return false;
      }
    }
    return true;
  }

  bool client() {
    EngineBell bell = pages_.engine_bell();
    Waiter waiter = pages_.waiter();
    for (uint64_t sent = 1; sent <= rounds_; ++sent) {
      pages_.up.tail[0].store(sent, std::memory_order_release);
      bell.ring_if_sleeping();
      while (applied() != sent) {
        waiter.arm();
        const bool woken = applied() == sent || waiter.wait(test::kWatchdogMs);
        waiter.disarm();
        if (!woken) return false;
      }
      // Sometimes late, so that the engine falls asleep at another point.
      if (sent % 3 == 0) std::this_thread::yield();
    }
    return true;
  }

 private:
  uint64_t applied() const { return pages_.down.lanes[0].applied.load(std::memory_order_acquire); }
  bool sleep(Sleeper& sleeper, uint64_t done) {
    sleeper.arm();
    bool woken = true;
    if (pages_.up.tail[0].load(std::memory_order_acquire) == done) {
      pollfd wanted{.fd = pages_.to_engine.get(), .events = POLLIN, .revents = 0};
      woken = ::poll(&wanted, 1, test::kWatchdogMs) > 0;
      take_rings(pages_.to_engine);
    }
    sleeper.disarm();
    return woken;
  }

  const uint64_t rounds_;
  Pages pages_;
};

TEST(Doorbell, NoWakeUpIsLostInEitherDirection) {
  PingPong game(30'000);
  bool engine_done = false;
  std::thread engine([&] { engine_done = game.engine(); });
  EXPECT_TRUE(game.client());
  engine.join();
  EXPECT_TRUE(engine_done);
}

}  // namespace
}  // namespace pqd
