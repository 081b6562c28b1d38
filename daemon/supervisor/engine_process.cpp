#include "daemon/supervisor/engine_process.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "shm/crash_point.h"
#include "shm/seqpacket.h"

namespace pqd {
namespace {

// A turn of the loop reads no more than these.
constexpr int kMessagesPerTurn = 256;
// From the link's closing to the exit.
constexpr int64_t kLingerNs = 5'000'000'000;

std::string how_it_ended(int code, int status) {
  if (code == CLD_EXITED) return fmt::format("ended with status {}", status);
  if (code == 0) return "is gone";
  const std::string text = fmt::format("was ended by signal {} ({})", status, ::strsignal(status));
  for (const int mistake : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE})
    if (status == mistake)
      return text +
             ", a fault of pqd or of a library that it uses. What it said last stands above; a core dump "
             "(coredumpctl) would show where. The next engine recovers";
  return text;
}

}  // namespace

EngineProcess::EngineProcess(EventLoop& loop, EngineStart start, const BackoffLimits& limits,
                             int64_t stop_timeout_ns, Hooks hooks)
    : loop_(loop),
      start_(std::move(start)),
      backoff_(limits),
      stop_timeout_ns_(stop_timeout_ns),
      hooks_(std::move(hooks)),
      outbox_(loop) {}

EngineProcess::~EngineProcess() {
  loop_.cancel_timer(timer_);
  loop_.unwatch(link_watch_);
  loop_.unwatch(child_watch_);
  if (pid_ < 0) return;
  kill();
  ::waitpid(pid_, nullptr, 0);
}

void EngineProcess::start() {
  state_ = State::kStarting;
  fatal_text_.clear();
  fork_child();
}

void EngineProcess::fork_child() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    spdlog::error("cannot make the engine's link: {}", std::strerror(errno));
    return restart_later();
  }
  link_.reset(ends[0]);
  UniqueFd child_end(ends[1]);
  start_.grants = hooks_.grants();
  std::fflush(nullptr);  // so that the child has nothing of ours to write once more
  const int supervisor_pid = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become_engine(start_, child_end.get(), supervisor_pid);
  start_.grants.clear();
  if (pid_ < 0) {
    spdlog::error("cannot start the engine: {}", std::strerror(errno));
    return restart_later();
  }
  PQD_CRASH_POINT("engine-forked");
  spdlog::info("engine started, pid {}", pid_);
  outbox_.connect(link_.get());
  link_watch_ = loop_.watch(link_.get(), [this] { read_link(); });
  const auto watch = loop_.watch_child(pid_, [this](int code, int status) { exited(code, status); });
  if (watch) {
    child_watch_ = *watch;
    return;
  }
  // An engine whose death nobody would see is worth nothing.
  spdlog::error("cannot watch the engine: {}", std::strerror(watch.error()));
  kill();
  ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  restart_later();
}

void EngineProcess::open_session(const SessionGrant& grant, const std::array<int, 4>& fds) {
  LinkMessage message;
  message.kind = LinkKind::kSessionOpened;
  message.session = grant.session;
  message.grant = grant;
  outbox_.send(message, fds);
}

void EngineProcess::close_session(uint64_t session, uint32_t partition) {
  if (outbox_.withdraw(session)) return;
  LinkMessage message;
  message.kind = LinkKind::kSessionClosed;
  message.flag = partition;
  message.session = session;
  outbox_.send(message);
}

void EngineProcess::stop() {
  if (state_ == State::kStopping || state_ == State::kEnded) return;
  if (pid_ < 0) return end(EngineEnd::kStopped);
  state_ = State::kStopping;
  loop_.cancel_timer(timer_);
  LinkMessage message;
  message.kind = LinkKind::kStop;
  outbox_.send(message);
  timer_ = loop_.arm_timer(EventLoop::monotonic_ns() + stop_timeout_ns_, [this] {
    spdlog::error("the engine did not stop in {} s and is killed: the next start recovers",
                  stop_timeout_ns_ / 1'000'000'000);
    kill();
  });
}

void EngineProcess::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

void EngineProcess::read_link() {
  for (int i = 0; i < kMessagesPerTurn && link_; ++i) {
    LinkMessage message;
    const auto received =
        receive_message(link_.get(), std::as_writable_bytes(std::span(&message, 1)), 0, WireTimeout::zero());
    if (!received) {
      if (received.error().fault == WireFault::kTimeout) return;
      if (received.error().fault == WireFault::kClosed) return link_closed();
      return link_broken(wire_fault_text(received.error().fault));
    }
    if (received->bytes != sizeof message) return link_broken("a message has the wrong size");
    handle(message);
  }
}

void EngineProcess::handle(const LinkMessage& message) {
  switch (message.kind) {
    case LinkKind::kReady:
      if (state_ != State::kStarting) return;
      PQD_CRASH_POINT("engine-ready-heard");
      state_ = State::kServing;
      has_served_ = true;
      serving_since_ns_ = EventLoop::monotonic_ns();
      return hooks_.ready();
    case LinkKind::kSessionReady:
      return hooks_.session_ready(message.session, message.flag != 0);
    case LinkKind::kSessionFault:
      return hooks_.session_fault(message.session, static_cast<SessionFault>(message.flag));
    case LinkKind::kFatal:
      fatal_text_.assign(message.text, ::strnlen(message.text, sizeof message.text));
      return;
    case LinkKind::kSessionOpened:
    case LinkKind::kSessionClosed:
    case LinkKind::kStop:
      return link_broken("a message of ours came back");
  }
  link_broken("a message of unknown kind");
}

// An engine on its way out. Its exit status is still to come and says more, so that it is not killed at once.
void EngineProcess::link_closed() {
  loop_.unwatch(std::exchange(link_watch_, 0));
  if (state_ == State::kStopping) return;
  timer_ = loop_.arm_timer(EventLoop::monotonic_ns() + kLingerNs, [this] { kill(); });
}

void EngineProcess::link_broken(std::string_view why) {
  spdlog::error("the engine does not keep to the link's rules ({}) and is killed", why);
  loop_.unwatch(std::exchange(link_watch_, 0));
  kill();
}

void EngineProcess::exited(int code, int status) {
  // What it said last may still be in the socket.
  if (link_watch_ != 0) read_link();
  loop_.unwatch(std::exchange(link_watch_, 0));
  loop_.cancel_timer(timer_);
  child_watch_ = 0;
  pid_ = -1;
  outbox_.disconnect();
  link_.reset();
  if (state_ == State::kStopping) {
    const bool clean = code == CLD_EXITED && status == 0;
    spdlog::log(clean ? spdlog::level::info : spdlog::level::err, "the engine {}{}",
                how_it_ended(code, status), clean ? "" : ": the next start recovers");
    return end(EngineEnd::kStopped);
  }
  if (code == CLD_EXITED && status == kEngineExitHalt) {
    spdlog::critical("the engine gave up: {}", fatal_text_.empty() ? "it did not say why" : fatal_text_);
    return end(EngineEnd::kHalted);
  }
  // Who starts a daemon wants to know; clients of one that has served before wait for its return.
  if (code == CLD_EXITED && status == kEngineExitLater && !has_served_) {
    spdlog::critical("pqd cannot start: {}",
                     fatal_text_.empty() ? "the engine did not say why" : fatal_text_);
    return end(EngineEnd::kTryLater);
  }
  PQD_CRASH_POINT("engine-death-seen");
  spdlog::error("the engine {}{}{}", how_it_ended(code, status), fatal_text_.empty() ? "" : ": ",
                fatal_text_);
  restart_later();
}

void EngineProcess::restart_later() {
  const bool served = state_ == State::kServing;
  const int64_t now = EventLoop::monotonic_ns();
  state_ = State::kWaiting;
  outbox_.disconnect();
  loop_.unwatch(std::exchange(link_watch_, 0));
  link_.reset();
  const int64_t delay_ns = backoff_.next_delay_ns(served ? now - serving_since_ns_ : 0);
  hooks_.died();
  if (delay_ns > 0) spdlog::warn("the engine is started again in {} ms", delay_ns / 1'000'000);
  timer_ = loop_.arm_timer(now + delay_ns, [this] { start(); });
}

void EngineProcess::end(EngineEnd how) {
  loop_.cancel_timer(timer_);
  state_ = State::kEnded;
  hooks_.ended(how);
}

}  // namespace pqd
