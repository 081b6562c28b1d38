// What the kernel does for an EventLoop. Two of them exist because some kernels, seccomp filters and
// administrators forbid io_uring. Internal to daemon/loop; thread rule as in event_loop.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace pqd {

// The result of a file write: bytes written and, where asked for, on the disk; or an errno.
using WriteDone = std::function<void(std::expected<size_t, int>)>;

// Who makes a ready descriptor unready again.
enum class Readiness : uint8_t {
  kLevel,    // its handler, or nobody: it is reported once a run for as long as it is ready
  kDrained,  // the sink, each time, before it looks at what the readiness stands for: an edge is enough
};

class Backend {
 public:
  // Called for each readiness with the tag that watch() got.
  using Sink = std::function<void(uint64_t tag)>;

  virtual ~Backend() = default;
  // Readiness for reading, hang-up or error, until unwatch. Tags are never used twice and below 2^62, so that
  // a late completion cannot be taken for that of another watch. Errno or 0.
  virtual int watch(int fd, uint64_t tag, Readiness readiness) = 0;
  virtual void unwatch(int fd, uint64_t tag) = 0;
  // Hands what happened to `sink` and to the writes' `done`; waits up to `timeout_ns` (0 = do not wait, < 0 =
  // for ever) when nothing did. A signal ends the wait. Work per call is bounded.
  virtual void run(int64_t timeout_ns, const Sink& sink) = 0;
  // `done` is called by a later run(), never from within.
  virtual void write_file(int fd, std::span<const std::byte> bytes, uint64_t offset, bool sync,
                          WriteDone done) = 0;
};

// Each gives the backend and the sentence for the log, or why it cannot be had.
struct MadeBackend {
  std::unique_ptr<Backend> backend;
  std::string description;
};
std::expected<MadeBackend, std::string> make_uring_backend();
std::expected<MadeBackend, std::string> make_epoll_backend();

}  // namespace pqd
