// The one event loop of the daemon: descriptors, doorbells, timers, child exits, file writes. Two backends,
// io_uring and epoll, behave the same. Belongs to the thread that created it (io_uring's SINGLE_ISSUER
// demands it), but for wake().
//
// Handlers run inside run(); they may watch, unwatch, arm and cancel anything, themselves included. A watch
// that was taken back is never called again, even if its descriptor's number is in use anew.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "daemon/loop/backend.h"
#include "shm/unique_fd.h"

namespace pqd {

enum class BackendChoice : uint8_t { kAuto, kUring, kEpoll };

// "auto", "io_uring", "epoll"; nothing for any other text.
std::optional<BackendChoice> parse_backend_choice(std::string_view text);

using WatchId = uint64_t;
using TimerId = uint64_t;

class EventLoop {
 public:
  using Handler = std::function<void()>;
  // waitid's si_code (CLD_EXITED, CLD_KILLED, ...) and si_status.
  using ChildHandler = std::function<void(int code, int status)>;

  // kAuto: io_uring where it is to be had, else epoll. The error is a sentence for people.
  static std::expected<std::unique_ptr<EventLoop>, std::string> create(BackendChoice choice);
  ~EventLoop();

  // Which backend, and why: one sentence for the log.
  const std::string& description() const { return description_; }

  // Calls `handler` while `fd` is readable or hung up, once a run. The descriptor stays the caller's and has
  // to be unwatched before it is closed.
  WatchId watch(int fd, Handler handler);
  // The same for an eventfd, whose counter is read first.
  WatchId watch_doorbell(int event_fd, Handler handler);
  void unwatch(WatchId id);

  // CLOCK_MONOTONIC nanoseconds. One-shot; never early.
  TimerId arm_timer(int64_t deadline_ns, Handler handler);
  void cancel_timer(TimerId id);
  static int64_t monotonic_ns();

  // Calls `handler` once when the child has ended, and reaps it. Errno when the child cannot be watched.
  std::expected<WatchId, int> watch_child(int pid, ChildHandler handler);

  // Writes all of `bytes` at `offset`, then fdatasync if `sync`. `bytes` stay valid until `done` was called.
  void write_file(int fd, std::span<const std::byte> bytes, uint64_t offset, bool sync, WriteDone done);

  // Handles what is there; when nothing is, waits up to `timeout_ns` (0 = do not wait, < 0 = until something
  // comes). Returns how many handlers ran.
  size_t run(int64_t timeout_ns);
  // Ends the wait of run(), or of the next one. Any thread; async-signal-safe.
  void wake();

 private:
  struct Watch {
    int fd = -1;
    bool doorbell = false;
    Handler handler;
    UniqueFd owned;  // a pidfd
  };

  EventLoop(MadeBackend made, UniqueFd wake_fd);
  WatchId add(Watch watch);
  void ready(uint64_t tag);
  size_t run_timers();

  std::unique_ptr<Backend> backend_;
  std::string description_;
  UniqueFd wake_fd_;
  std::unordered_map<WatchId, std::shared_ptr<Watch>> watches_;
  WatchId next_watch_ = 1;
  std::map<std::pair<int64_t, TimerId>, Handler> timers_;
  std::unordered_map<TimerId, int64_t> timer_deadlines_;
  TimerId next_timer_ = 1;
  size_t handled_ = 0;
};

}  // namespace pqd
