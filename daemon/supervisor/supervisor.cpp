#include "daemon/supervisor/supervisor.h"

#include <spdlog/spdlog.h>

#include <csignal>

namespace pqd {
namespace {

constexpr WireTimeout kLastWordsTimeout{1'000};

}  // namespace

Supervisor::Supervisor(SupervisorOptions options, Parts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      notify_socket_(*parts_.loop),
      notify_(notify_socket_),
      store_(notify_socket_),
      engine_(*parts_.loop,
              EngineStart{.library = options_.engine_library,
                          .config_toml = options_.config_toml.c_str(),
                          .wake_bases = wake_bases(),
                          .first_session = parts_.counter.first(),
                          .lock_fd = parts_.engine_lock.get(),
                          .grants = {}},
              options_.engine_backoff, options_.stop_timeout_ns, engine_hooks()),
      reception_(*parts_.loop, table_, parts_.counter, engine_, store_, wake_fds(), options_) {}

std::vector<uint64_t> Supervisor::wake_bases() const {
  std::vector<uint64_t> bases;
  for (const WakeFile& wake : parts_.wakes) bases.push_back(reinterpret_cast<uint64_t>(wake.mapping.base()));
  return bases;
}

std::vector<int> Supervisor::wake_fds() const {
  std::vector<int> fds;
  for (const WakeFile& wake : parts_.wakes) fds.push_back(wake.fd.get());
  return fds;
}

EngineProcess::Hooks Supervisor::engine_hooks() {
  return {
      .grants = [this] { return table_.grants(); },
      .ready = [this] { engine_ready(); },
      .died = [this] { engine_died(); },
      .session_ready = [this](uint64_t number, bool resumed) { reception_.session_ready(number, resumed); },
      .session_fault = [this](uint64_t number, SessionFault why) { reception_.session_fault(number, why); },
      .ended = [this](EngineEnd how) { engine_ended(how); }};
}

int Supervisor::run() {
  spdlog::info("pqd {} supervises; {}", PQD_VERSION, parts_.loop->description());
  parts_.signals.listen(*parts_.loop, [this](int signal) { signalled(signal); });
  feed_watchdog();
  engine_.start();
  while (!done_) parts_.loop->run(-1);
  return exit_status_;
}

void Supervisor::engine_ready() {
  spdlog::info("the engine serves, {} sessions", table_.grants().size());
  reception_.engine_ready();
  if (was_ready_) return notify_.serving();
  was_ready_ = true;
  notify_.ready();
  if (options_.on_ready) options_.on_ready();
}

void Supervisor::engine_died() {
  table_.set_engine_state(EngineState::kStarting);
  if (was_ready_) notify_.restarting_engine();
}

void Supervisor::engine_ended(EngineEnd how) {
  if (how == EngineEnd::kHalted) exit_status_ = kExitConfig;
  if (how == EngineEnd::kTryLater) exit_status_ = kExitTryLater;
  if (how == EngineEnd::kHalted) give_up();
  listener_.reset();
  notify_socket_.flush(kLastWordsTimeout);
  done_ = true;
}

// Nobody is to wait for a next start.
void Supervisor::give_up() {
  reception_.end_all();
  store_.forget(std::string(kListenerName));
  if (listener_ != nullptr) listener_->keep_file(false);
}

void Supervisor::signalled(int signal) {
  if (signal == SIGHUP) {
    if (options_.on_reload) options_.on_reload();
  } else if (!stopping_) {
    stop();
  } else if (signal == SIGINT) {
    spdlog::warn("asked twice: the engine is killed, the next start recovers");
    engine_.kill();
  }
}

void Supervisor::stop() {
  spdlog::info("stopping");
  stopping_ = true;
  notify_.stopping();
  listener_.reset();
  reception_.close_door();
  engine_.stop();
}

void Supervisor::feed_watchdog() {
  if (notify_.watchdog_interval_ns() == 0) return;
  notify_.alive();
  parts_.loop->arm_timer(EventLoop::monotonic_ns() + notify_.watchdog_interval_ns(),
                         [this] { feed_watchdog(); });
}

}  // namespace pqd
