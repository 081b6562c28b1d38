#include "daemon/supervisor/engine_outbox.h"

#include <algorithm>

#include "shm/seqpacket.h"

namespace pqd {
namespace {

// The loop watches for reading only; a full socket is rare and its engine busy anyway.
constexpr int64_t kRetryNs = 2'000'000;

}  // namespace

void EngineOutbox::disconnect() {
  loop_.cancel_timer(retry_timer_);
  retry_timer_ = 0;
  letters_.clear();
  link_fd_ = -1;
}

void EngineOutbox::send(const LinkMessage& message) { put({.message = message}); }

void EngineOutbox::send(const LinkMessage& message, const std::array<int, 4>& fds) {
  put({.message = message, .fds = fds, .fd_count = fds.size()});
}

bool EngineOutbox::withdraw(uint64_t session) {
  return std::erase_if(letters_, [session](const Letter& letter) {
           return letter.message.kind == LinkKind::kSessionOpened && letter.message.session == session;
         }) != 0;
}

void EngineOutbox::put(Letter letter) {
  if (link_fd_ < 0) return;
  letters_.push_back(letter);
  if (letters_.size() == 1) flush();
}

void EngineOutbox::flush() {
  loop_.cancel_timer(retry_timer_);
  retry_timer_ = 0;
  while (!letters_.empty()) {
    const Letter& letter = letters_.front();
    const auto sent = send_message(link_fd_, letter.message, std::span(letter.fds).first(letter.fd_count),
                                   WireTimeout::zero());
    if (!sent && sent.error().fault == WireFault::kTimeout) {
      retry_timer_ = loop_.arm_timer(EventLoop::monotonic_ns() + kRetryNs, [this] { flush(); });
      return;
    }
    // Any other failure is the engine's end, which its exit tells.
    letters_.pop_front();
  }
}

}  // namespace pqd
