// The one event loop of the daemon: descriptors, doorbells, timers, child exits, file writes. Two backends,
// io_uring and epoll, behave the same. Belongs to the thread that created it (io_uring's SINGLE_ISSUER
// demands it), destruction included, but for wake().
//
// Handlers run inside run() and nowhere else; they may watch, unwatch, arm and cancel anything, themselves
// included, but not call run(). A watch that was taken back is never called again, even if its descriptor's
// number is in use anew. Handlers are never empty.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/loop/backend.h"
#include "daemon/loop/timer_heap.h"
#include "shm/unique_fd.h"

namespace pqd {

enum class BackendChoice : uint8_t { kAuto, kUring, kEpoll };

// "auto", "io_uring", "epoll"; nothing for any other text. For configuration and PQD_EVENT_LOOP.
std::optional<BackendChoice> parse_backend_choice(std::string_view text);

// Never given out twice; never 0.
using WatchId = uint64_t;

class EventLoop {
 public:
  using Handler = std::function<void()>;
  // waitid's si_code (CLD_EXITED, CLD_KILLED, CLD_DUMPED) and si_status; a code of 0 when somebody else
  // reaped the child.
  using ChildHandler = std::function<void(int code, int status)>;

  // kAuto: io_uring where it is to be had, else epoll. The error is a sentence for people.
  static std::expected<std::unique_ptr<EventLoop>, std::string> create(BackendChoice choice);
  // Waits for file writes under way, whose memory may go afterwards; calls no handler.
  ~EventLoop();

  // kUring or kEpoll.
  BackendChoice backend() const { return backend_kind_; }
  // Which backend, and why: one sentence for the log.
  const std::string& description() const { return description_; }

  // Calls `handler` while `fd` is readable, hung up or in error, once a run (level-triggered). The descriptor
  // stays the caller's and has to be unwatched before it is closed.
  // REQUIRES: open, something that can be polled, and not watched already (aborts where the kernel says so).
  WatchId watch(int fd, Handler handler);
  // The same for an eventfd, whose counter is read before each call. Several rings may come as one call, and
  // one ring as two calls, but after the last ring there is a call. Whoever shares the eventfd cannot make
  // the loop block.
  WatchId watch_doorbell(int event_fd, Handler handler);
  // Of a spent id: nothing.
  void unwatch(WatchId id);

  // CLOCK_MONOTONIC nanoseconds. One-shot; never early; equal deadlines in the order they were armed. What a
  // timer's handler arms runs after all that is due already.
  TimerId arm_timer(int64_t deadline_ns, Handler handler);
  // Of a spent id: nothing.
  void cancel_timer(TimerId id);
  static int64_t monotonic_ns();

  // Calls `handler` once when the child has ended, and reaps it. Errno when it cannot be watched: ECHILD for
  // a process that is not our child, ESRCH for none.
  std::expected<WatchId, int> watch_child(int pid, ChildHandler handler);

  // Writes all of `bytes` at `offset`, then fdatasync if `sync`; `done` is called by a later run(). `bytes`
  // and `fd` stay valid until then. The epoll backend writes before it returns. Two writes may finish in any
  // order.
  void write_file(int fd, std::span<const std::byte> bytes, uint64_t offset, bool sync, WriteDone done);

  // Handles what is there; when nothing is, waits up to `timeout_ns` (0 = do not wait, < 0 = until something
  // comes). Returns how many handlers ran (wake() counts as one): 0 after the timeout, or when a signal came.
  size_t run(int64_t timeout_ns);
  // Ends the wait of run(), or of the next one. Any thread; async-signal-safe.
  void wake();

 private:
  struct Watch {
    int fd = -1;
    Readiness readiness = Readiness::kLevel;
    Handler handler;
    UniqueFd owned;  // a pidfd
  };

  EventLoop(MadeBackend made, BackendChoice kind, UniqueFd wake_fd);
  WatchId add(Watch watch);
  void ready(uint64_t tag);
  void child_ready(WatchId id, const ChildHandler& handler);
  size_t run_timers();

  std::unique_ptr<Backend> backend_;
  BackendChoice backend_kind_;
  std::string description_;
  UniqueFd wake_fd_;
  // Shared, so that a handler outlives its own unwatch().
  std::unordered_map<WatchId, std::shared_ptr<Watch>> watches_;
  WatchId next_watch_ = 1;
  TimerHeap timers_;
  // No timer is armed for earlier: what run_timers() goes through stays finite.
  int64_t earliest_deadline_ns_ = 0;
  size_t handled_ = 0;
  bool running_ = false;
};

}  // namespace pqd
