#include "daemon/engine/supervisor_link.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "shm/seqpacket.h"

namespace pqd {
namespace {

constexpr WireTimeout kSendTimeout{10'000};
constexpr size_t kGrantFds = 4;
constexpr int kMessagesPerRun = 256;

LinkMessage about(LinkKind kind, SessionNo session, uint32_t flag = 0) {
  LinkMessage message;
  message.kind = kind;
  message.session = session;
  message.flag = flag;
  return message;
}

// Without its supervisor an engine serves nobody; the kernel's death signal is on its way.
[[noreturn]] void lost_supervisor(std::string_view why) {
  spdlog::error("the link to the supervisor is lost ({}): the engine ends", why);
  ::_exit(kEngineExitRestart);
}

}  // namespace

void SupervisorLink::listen(EventLoop& loop, Handlers handlers) {
  handlers_ = std::move(handlers);
  loop.watch(fd_.get(), [this] { read(); });
}

void SupervisorLink::read() {
  for (int i = 0; i < kMessagesPerRun; ++i) {
    LinkMessage message;
    auto received = receive_message(fd_.get(), std::as_writable_bytes(std::span(&message, 1)), kGrantFds,
                                    WireTimeout::zero());
    if (!received && received.error().fault == WireFault::kTimeout) return;
    if (!received) lost_supervisor(wire_fault_text(received.error().fault));
    if (received->bytes != sizeof message) lost_supervisor("a message has the wrong size");
    switch (message.kind) {
      case LinkKind::kSessionOpened:
        if (received->fds.size() != kGrantFds) lost_supervisor("a session came without its descriptors");
        message.grant.up_fd = received->fds[0].release();
        message.grant.down_fd = received->fds[1].release();
        message.grant.client_doorbell_fd = received->fds[2].release();
        message.grant.engine_doorbell_fd = received->fds[3].release();
        handlers_.opened(message.grant);
        break;
      case LinkKind::kSessionClosed:
        handlers_.closed(message.session, message.flag);
        break;
      case LinkKind::kStop:
        handlers_.stop();
        break;
      default:
        lost_supervisor("a message of unknown kind");
    }
  }
}

void SupervisorLink::ready() { send(about(LinkKind::kReady, 0)); }

void SupervisorLink::session_ready(SessionNo session, bool resumed) {
  send(about(LinkKind::kSessionReady, session, resumed ? 1 : 0));
}

void SupervisorLink::session_fault(SessionNo session, SessionFault why) {
  LinkMessage message = about(LinkKind::kSessionFault, session);
  message.flag = static_cast<uint32_t>(why);
  send(message);
}

void SupervisorLink::fatal(std::string_view text) {
  LinkMessage message = about(LinkKind::kFatal, 0);
  std::copy_n(text.begin(), std::min(text.size(), sizeof message.text - 1), message.text);
  send(message);
}

void SupervisorLink::send(const LinkMessage& message) {
  if (const auto sent = send_message(fd_.get(), message, {}, kSendTimeout); !sent)
    lost_supervisor(wire_fault_text(sent.error().fault));
}

}  // namespace pqd
