// What the kernel does for an EventLoop. Two of them exist because some kernels, seccomp filters and
// administrators forbid io_uring. Internal to daemon/loop.
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

class Backend {
 public:
  // Called for each readiness with the tag that watch() got.
  using Sink = std::function<void(uint64_t tag)>;

  virtual ~Backend() = default;
  // Level-triggered readiness for reading or hang-up, until unwatch. Errno or 0.
  virtual int watch(int fd, uint64_t tag) = 0;
  virtual void unwatch(int fd, uint64_t tag) = 0;
  // Hands what happened to `sink`; waits up to `timeout_ns` (0 = do not wait, < 0 = for ever) when nothing
  // did.
  virtual void run(int64_t timeout_ns, const Sink& sink) = 0;
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
