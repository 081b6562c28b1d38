#include <liburing.h>
#include <poll.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <unordered_map>

#include "daemon/loop/backend.h"

namespace pqd {
namespace {

constexpr unsigned kEntries = 256;

// What each completion's user_data says: the kind in the top two bits, a number of ours below.
constexpr uint64_t kKindShift = 62;
constexpr uint64_t kPoll = 0;
constexpr uint64_t kWrite = 1;
constexpr uint64_t kIgnored = 2;
constexpr uint64_t kNumberMask = (uint64_t{1} << kKindShift) - 1;

class UringBackend final : public Backend {
 public:
  explicit UringBackend(const io_uring& ring) : ring_(ring) {}
  ~UringBackend() override { io_uring_queue_exit(&ring_); }
  UringBackend(const UringBackend&) = delete;
  UringBackend& operator=(const UringBackend&) = delete;

  int watch(int fd, uint64_t tag) override {
    polls_.emplace(tag, fd);
    arm(fd, tag);
    return 0;
  }

  void unwatch(int /*fd*/, uint64_t tag) override {
    polls_.erase(tag);
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_poll_remove(sqe, tag);
    io_uring_sqe_set_data64(sqe, kIgnored << kKindShift);
    // At once: the caller may close the descriptor, which the poll would keep alive.
    io_uring_submit(&ring_);
  }

  void run(int64_t timeout_ns, const Sink& sink) override {
    if (timeout_ns == 0) {
      io_uring_submit(&ring_);
      // DEFER_TASKRUN: completions show up when we ask for them.
      if (!io_uring_cq_ready(&ring_)) io_uring_get_events(&ring_);
    } else {
      wait(timeout_ns);
    }
    io_uring_cqe* cqe = nullptr;
    while (io_uring_peek_cqe(&ring_, &cqe) == 0 && cqe != nullptr) {
      const io_uring_cqe done = *cqe;
      io_uring_cqe_seen(&ring_, cqe);
      handle(done, sink);
    }
  }

  void write_file(int fd, std::span<const std::byte> bytes, uint64_t offset, bool sync,
                  WriteDone done) override {
    const uint64_t number = next_write_++;
    writes_.emplace(number, Write{fd, bytes, offset, 0, sync, std::move(done)});
    submit_write(number);
  }

 private:
  struct Write {
    int fd;
    std::span<const std::byte> bytes;
    uint64_t offset;
    size_t written;
    bool sync;
    WriteDone done;
  };

  io_uring_sqe* next_sqe() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    while (sqe == nullptr) {
      io_uring_submit(&ring_);
      sqe = io_uring_get_sqe(&ring_);
    }
    return sqe;
  }

  // One-shot and armed again after each completion: that is level-triggered, as epoll is.
  void arm(int fd, uint64_t tag) {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_poll_add(sqe, fd, POLLIN | POLLRDHUP);
    io_uring_sqe_set_data64(sqe, (kPoll << kKindShift) | tag);
  }

  void wait(int64_t timeout_ns) {
    io_uring_cqe* cqe = nullptr;
    if (timeout_ns < 0) {
      io_uring_submit_and_wait(&ring_, 1);
      return;
    }
    __kernel_timespec limit{};
    limit.tv_sec = timeout_ns / 1'000'000'000;
    limit.tv_nsec = timeout_ns % 1'000'000'000;
    io_uring_submit_and_wait_timeout(&ring_, &cqe, 1, &limit, nullptr);
  }

  void handle(const io_uring_cqe& cqe, const Sink& sink) {
    const uint64_t kind = cqe.user_data >> kKindShift;
    const uint64_t number = cqe.user_data & kNumberMask;
    if (kind == kWrite) return handle_write(number, cqe.res);
    if (kind != kPoll || cqe.res == -ECANCELED) return;
    if (!polls_.contains(number)) return;
    sink(number);
    const auto again = polls_.find(number);
    if (again != polls_.end()) arm(again->second, number);
  }

  void submit_write(uint64_t number) {
    const Write& write = writes_.at(number);
    const auto rest = write.bytes.subspan(write.written);
    io_uring_sqe* sqe = next_sqe();
    if (rest.empty()) {
      io_uring_prep_fsync(sqe, write.fd, IORING_FSYNC_DATASYNC);
    } else {
      io_uring_prep_write(sqe, write.fd, rest.data(), static_cast<unsigned>(rest.size()),
                          write.offset + write.written);
    }
    io_uring_sqe_set_data64(sqe, (kWrite << kKindShift) | number);
  }

  void handle_write(uint64_t number, int result) {
    Write& write = writes_.at(number);
    const bool all_written = write.written == write.bytes.size();
    if (result < 0 || (result == 0 && !all_written)) {
      return finish_write(number, std::unexpected(result < 0 ? -result : EIO));
    }
    if (all_written) return finish_write(number, write.written);  // that was the sync
    write.written += static_cast<size_t>(result);
    if (write.written < write.bytes.size() || write.sync) return submit_write(number);
    finish_write(number, write.written);
  }

  void finish_write(uint64_t number, std::expected<size_t, int> result) {
    auto node = writes_.extract(number);
    node.mapped().done(result);
  }

  io_uring ring_;
  std::unordered_map<uint64_t, int> polls_;
  std::unordered_map<uint64_t, Write> writes_;
  uint64_t next_write_ = 1;
};

std::string why_not(int error) {
  std::string why = std::string("io_uring_setup said ") + std::strerror(error);
  int disabled = 0;
  std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
  if (error == ENOSYS) return why + " (the kernel has no io_uring)";
  if (disabled != 0) return why + " (kernel.io_uring_disabled is " + std::to_string(disabled) + ")";
  if (error == EPERM) return why + " (a seccomp filter or a policy forbids it)";
  return why;
}

// Only what the loop uses can be submitted once the ring is enabled.
int restrict_and_enable(io_uring& ring) {
  const uint8_t allowed[] = {IORING_OP_POLL_ADD, IORING_OP_POLL_REMOVE, IORING_OP_WRITE,
                             IORING_OP_FSYNC,    IORING_OP_TIMEOUT,     IORING_OP_NOP};
  io_uring_restriction rules[sizeof allowed]{};
  for (size_t i = 0; i < sizeof allowed; ++i) {
    rules[i].opcode = IORING_RESTRICTION_SQE_OP;
    rules[i].sqe_op = allowed[i];
  }
  const int error = io_uring_register_restrictions(&ring, rules, sizeof allowed);
  if (error < 0) return error;
  return io_uring_enable_rings(&ring);
}

}  // namespace

std::expected<MadeBackend, std::string> make_uring_backend() {
  struct Try {
    unsigned flags;
    const char* words;
  };
  static constexpr Try kTries[] = {
      {IORING_SETUP_R_DISABLED | IORING_SETUP_CLAMP | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
       "io_uring with SINGLE_ISSUER and DEFER_TASKRUN"},
      {IORING_SETUP_R_DISABLED | IORING_SETUP_CLAMP | IORING_SETUP_COOP_TASKRUN,
       "io_uring with COOP_TASKRUN"},
      {IORING_SETUP_R_DISABLED | IORING_SETUP_CLAMP, "io_uring"},
  };
  int error = 0;
  for (const Try& attempt : kTries) {
    io_uring ring{};
    error = -io_uring_queue_init(kEntries, &ring, attempt.flags);
    if (error == EINVAL) continue;
    if (error != 0) break;
    error = -restrict_and_enable(ring);
    if (error == 0) return MadeBackend{std::make_unique<UringBackend>(ring), attempt.words};
    io_uring_queue_exit(&ring);
    return std::unexpected(std::string("registering the ring's restrictions said ") + std::strerror(error));
  }
  return std::unexpected(why_not(error));
}

}  // namespace pqd
