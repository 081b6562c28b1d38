// How one side wakes the other, and why no wake-up is lost. Both directions are the same protocol:
//
//   who has something to say                      who sleeps
//     1 store the tail (publish)                    a store the wake word: odd (arm)
//     2 full fence             ---- pair F ----     b full fence
//     3 load the wake word                          c look at every tail again
//     4 odd and new: write the doorbell             d nothing there: sleep on the doorbell
//
// Pair F: in the one order of all full fences either 2 is before b, then c sees the tail; or b is before 2,
// then 3 sees the odd word. Both may happen (a wake-up for nothing), neither cannot.
//
// A wake word counts: even = awake, odd = armed, one up at each change. The ringer remembers for which arming
// it has rung and rings once for it, however much it publishes until the sleeper is on its feet.
//
// What is written is an eventfd one way, a socket the other: the engine must not write what a client can make
// block (see ClientBellEnds). Neither waits: a doorbell that cannot take any more is readable already, so
// that EAGAIN is as good as success.
//
// Thread rule: each object belongs to one thread.
#pragma once

#include <expected>

#include "shm/abi.h"
#include "shm/fence.h"
#include "shm/sys_error.h"
#include "shm/unique_fd.h"

namespace pqd {

// Client to engine.
class EngineBell {
 public:
  EngineBell() = default;
  // `event_fd`: the session's client_doorbell; stays the caller's.
  EngineBell(const WakePage& page, const DownHeader& down, int event_fd)
      : page_(&page), down_(&down), event_fd_(event_fd) {}

  // After each publish of a lane.
  void ring_if_sleeping() {
    full_fence();  // pair F, ringer's half: our tail before the load of the wake word
    ring_once();
  }

  // After reading receipts, deliveries or answers (the read cursor is stored): wakes the engine only if
  // something for this client found no room.
  void ring_if_blocked() {
    full_fence();  // pair F, ringer's half: our read cursor before the loads
    // relaxed: the fence has ordered it; set_outbox_blocked() is before the sleeper's half.
    if (down_->outbox_blocked.load(std::memory_order_relaxed) != 0) ring_once();
  }

 private:
  void ring_once() {
    // relaxed: the fence before has ordered it.
    const uint32_t word = page_->sleeping.load(std::memory_order_relaxed);
    if ((word & 1) != 0 && word != rung_) ring(word);
  }
  void ring(uint32_t word);

  const WakePage* page_ = nullptr;
  const DownHeader* down_ = nullptr;
  int event_fd_ = -1;
  uint32_t rung_ = 0;  // the arming that we rang for last
};

// The engine's worker, which sleeps. arm(); look at every lane of every session again, and at the room of
// those whose outbox is blocked; nothing: sleep; disarm() in any case.
class Sleeper {
 public:
  // A predecessor that died asleep left an odd word: counting goes on behind it, so that nobody takes the
  // next arming for one that it has rung for.
  explicit Sleeper(WakePage& page);

  void arm() {
    // relaxed: the fence orders it; no data hangs on this word.
    page_->sleeping.store(++word_, std::memory_order_relaxed);
    full_fence();  // pair F, sleeper's half: the wake word before the loads of the tails
  }
  // relaxed: a late sight of it costs one needless ring.
  void disarm() { page_->sleeping.store(++word_, std::memory_order_relaxed); }

 private:
  WakePage* page_;
  uint32_t word_;
};

// Engine. Before arm(), for each session for which something found no room; taken back when it did. relaxed:
// the fence in arm() stands between this and the engine's last look at the client's read cursors.
inline void set_outbox_blocked(DownHeader& down, bool blocked) {
  down.outbox_blocked.store(blocked ? 1 : 0, std::memory_order_relaxed);
}

// The doorbell from engine to client: two open files, of which the client never gets the engine's. In an
// eventfd both would share O_NONBLOCK and the count, and the client could have the engine sleep in its write;
// in a pipe the client's read could hold the lock that a write waits for.
struct ClientBellEnds {
  UniqueFd engine;  // to ring. Nothing can be sent to it.
  UniqueFd client;  // readable once rung; eight bytes a ring
};
std::expected<ClientBellEnds, SysError> make_client_bell();

// Engine to client.
class ClientBell {
 public:
  ClientBell() = default;
  // `socket`: the engine's end of the session's engine_doorbell; stays the caller's. `up` is the client's and
  // not believed: a wrong word costs the client a wake-up or the engine one write.
  ClientBell(DownHeader& down, const UpHeader& up, int socket) : down_(&down), up_(&up), socket_(socket) {
    // relaxed: our own word.
    bell_ = down.bell.load(std::memory_order_relaxed);
  }

  // After whatever was published in Down in one turn: changes the bell, wakes the client if it sleeps.
  void ring_if_waiting() {
    // release: pairs with the acquire load of who spins on the bell.
    down_->bell.store(++bell_, std::memory_order_release);
    full_fence();  // pair F, ringer's half: all we published before the load of the wake word
    // relaxed: the fence has ordered it.
    const uint32_t word = up_->waiting.load(std::memory_order_relaxed);
    if ((word & 1) != 0 && word != rung_) ring(word);
  }

 private:
  void ring(uint32_t word);

  DownHeader* down_ = nullptr;
  const UpHeader* up_ = nullptr;
  int socket_ = -1;
  uint32_t bell_ = 0;
  uint32_t rung_ = 0;
};

// The client, which sleeps. arm(); look again at what is waited for; nothing: wait(); disarm() in any case.
// Each sleep needs an arming of its own. A wake-up may be for nothing. An event loop polls fd() itself in
// place of wait(), and calls drain() when it is readable, before it arms again.
class Waiter {
 public:
  Waiter() = default;
  // `doorbell`: the client's end; stays the caller's. Of an earlier daemon it is an eventfd.
  Waiter(UpHeader& up, int doorbell) : up_(&up), doorbell_(doorbell) {
    // relaxed: our own word.
    word_ = up.waiting.load(std::memory_order_relaxed) | 1;
    disarm();
  }

  void arm() {
    // relaxed: the fence orders it; no data hangs on this word.
    up_->waiting.store(++word_, std::memory_order_relaxed);
    full_fence();  // pair F, sleeper's half: the wake word before the loads of Down
  }
  // relaxed: a late sight of it costs one needless ring.
  void disarm() { up_->waiting.store(++word_, std::memory_order_relaxed); }

  // Sleeps until rung or `timeout_ms` (-1 = for ever) have passed; true when rung. A signal may end it early,
  // as if time was up.
  bool wait(int timeout_ms);
  // Takes the rings back. Never between arm() and the sleep: one of them may be meant for it.
  void drain();
  int fd() const { return doorbell_; }
  // Nobody will ring any more, and the descriptor stays readable: the daemon is about to be gone.
  bool ended() const { return ended_; }

 private:
  UpHeader* up_ = nullptr;
  int doorbell_ = -1;
  uint32_t word_ = 0;
  bool ended_ = false;
};

}  // namespace pqd
