#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <unordered_map>

#include "daemon/loop/backend.h"
#include "daemon/loop/uring_ring.h"

namespace pqd {
namespace {

constexpr unsigned kEntries = 256;

// What each completion's user_data says: the kind in the top two bits, a number of ours below.
constexpr uint64_t kKindShift = 62;
constexpr uint64_t kPoll = 0;
constexpr uint64_t kWrite = 1;
constexpr uint64_t kIgnored = 2;
constexpr uint64_t kNumberMask = (uint64_t{1} << kKindShift) - 1;

// A submission's length has 32 bits, and the kernel writes less than 2 GiB at once.
constexpr size_t kWriteBytesMax = size_t{1} << 30;

class UringBackend final : public Backend {
 public:
  explicit UringBackend(const io_uring& ring) : ring_(ring) {}
  ~UringBackend() override {
    // Closing a ring does not wait for its writes, and they read from the callers' memory.
    abandoned_ = true;
    while (!writes_.empty()) {
      const int error = -io_uring_submit_and_wait(&ring_, 1);
      if (error > 0 && error != EINTR) break;
      handle_batch([](uint64_t) {});
    }
    io_uring_queue_exit(&ring_);
  }
  UringBackend(const UringBackend&) = delete;
  UringBackend& operator=(const UringBackend&) = delete;

  int watch(int fd, uint64_t tag, Readiness readiness) override {
    const Poll poll{fd, readiness};
    polls_.emplace(tag, poll);
    arm(tag, poll);
    return 0;
  }

  void unwatch(int /*fd*/, uint64_t tag) override {
    polls_.erase(tag);
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_poll_remove(sqe, tag);
    io_uring_sqe_set_data64(sqe, kIgnored << kKindShift);
    // At once, completions included: a poll keeps its file open, and the caller is about to close it.
    io_uring_submit_and_get_events(&ring_);
  }

  void run(int64_t timeout_ns, const Sink& sink) override {
    if (timeout_ns == 0) {
      io_uring_submit(&ring_);  // no system call when there is nothing to submit
    } else {
      wait(timeout_ns);
    }
    handle_batch(sink);
  }

  void write_file(int fd, std::span<const std::byte> bytes, uint64_t offset, bool sync,
                  WriteDone done) override {
    const uint64_t number = next_write_++;
    writes_.emplace(number, Write{fd, bytes, offset, 0, sync, std::move(done)});
    submit_write(number);
  }

 private:
  struct Poll {
    int fd;
    Readiness readiness;
  };
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

  // Multishot reports edges and stays armed. One shot, armed again after each report, finds out by itself
  // whether the descriptor is still ready: level-triggered, as epoll is.
  void arm(uint64_t tag, const Poll& poll) {
    io_uring_sqe* sqe = next_sqe();
    if (poll.readiness == Readiness::kDrained) {
      io_uring_prep_poll_multishot(sqe, poll.fd, POLLIN);
    } else {
      io_uring_prep_poll_add(sqe, poll.fd, POLLIN | POLLRDHUP);
    }
    io_uring_sqe_set_data64(sqe, (kPoll << kKindShift) | tag);
  }

  void wait(int64_t timeout_ns) {
    if (timeout_ns < 0) {
      io_uring_submit_and_wait(&ring_, 1);
      return;
    }
    io_uring_cqe* first = nullptr;
    __kernel_timespec limit{};
    limit.tv_sec = timeout_ns / 1'000'000'000;
    limit.tv_nsec = timeout_ns % 1'000'000'000;
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
  }

  // The completions leave the ring before the first handler runs, so that what handlers submit finds room for
  // its own, and what that completes waits for the next run.
  void handle_batch(const Sink& sink) {
    std::array<io_uring_cqe*, kEntries> ready;
    const unsigned count = io_uring_peek_batch_cqe(&ring_, ready.data(), kEntries);
    for (unsigned i = 0; i < count; ++i) {
      batch_[i] = {ready[i]->user_data, ready[i]->res, (ready[i]->flags & IORING_CQE_F_MORE) != 0};
    }
    io_uring_cq_advance(&ring_, count);
    for (unsigned i = 0; i < count; ++i) handle(batch_[i], sink);
  }

  struct Completion {
    uint64_t user_data;
    int result;
    bool more;
  };

  void handle(const Completion& completion, const Sink& sink) {
    const uint64_t number = completion.user_data & kNumberMask;
    switch (completion.user_data >> kKindShift) {
      case kPoll:
        return handle_poll(number, completion, sink);
      case kWrite:
        return handle_write(number, completion.result);
      default:
        return;
    }
  }

  void handle_poll(uint64_t tag, const Completion& completion, const Sink& sink) {
    if (!polls_.contains(tag)) return;  // taken back meanwhile
    if (completion.result == -EBADF || completion.result == -ECANCELED) {
      polls_.erase(tag);  // closed before it was unwatched; epoll forgets it as quietly
      return;
    }
    sink(tag);
    if (completion.more) return;
    const auto again = polls_.find(tag);
    if (again != polls_.end()) arm(tag, again->second);
  }

  void submit_write(uint64_t number) {
    const Write& write = writes_.at(number);
    const auto rest = write.bytes.subspan(write.written);
    io_uring_sqe* sqe = next_sqe();
    if (rest.empty()) {
      io_uring_prep_fsync(sqe, write.fd, IORING_FSYNC_DATASYNC);
    } else {
      io_uring_prep_write(sqe, write.fd, rest.data(),
                          static_cast<unsigned>(std::min(rest.size(), kWriteBytesMax)),
                          write.offset + write.written);
    }
    io_uring_sqe_set_data64(sqe, (kWrite << kKindShift) | number);
  }

  // The sync is submitted when all is written rather than linked to the write: a short write would break the
  // link, and the rest has to be written before the sync anyway.
  void handle_write(uint64_t number, int result) {
    Write& write = writes_.at(number);
    const bool was_sync = write.written == write.bytes.size();
    if (!was_sync && (result == -EINTR || result == -EAGAIN)) return submit_write(number);
    if (result < 0 || (result == 0 && !was_sync)) {
      return finish_write(number, std::unexpected(result < 0 ? -result : EIO));
    }
    if (was_sync) return finish_write(number, write.written);
    write.written += static_cast<size_t>(result);
    if (write.written < write.bytes.size() || write.sync) return submit_write(number);
    finish_write(number, write.written);
  }

  void finish_write(uint64_t number, std::expected<size_t, int> result) {
    auto node = writes_.extract(number);
    if (!abandoned_) node.mapped().done(result);
  }

  io_uring ring_;
  std::unordered_map<uint64_t, Poll> polls_;
  std::unordered_map<uint64_t, Write> writes_;
  uint64_t next_write_ = 1;
  bool abandoned_ = false;
  std::array<Completion, kEntries> batch_;
};

}  // namespace

std::expected<MadeBackend, std::string> make_uring_backend() {
  auto open = open_ring(kEntries);
  if (!open) return std::unexpected(std::move(open.error()));
  return MadeBackend{std::make_unique<UringBackend>(open->ring), std::move(open->description)};
}

}  // namespace pqd
