#include "daemon/supervisor/supervisor.h"

#include <spdlog/spdlog.h>

#include <csignal>
#include <filesystem>
#include <system_error>

#include "daemon/supervisor/open_files.h"
#include "daemon/supervisor/private_directory.h"
#include "shm/memfd.h"

namespace pqd {
namespace {

std::unexpected<StartFailure> system_failure(const SysError& error) {
  return std::unexpected(StartFailure{kExitSystem, std::string("the kernel refused ") + error.call + " (" +
                                                       std::generic_category().message(error.number) +
                                                       "): raise the limit in question"});
}

std::string no_loop_text(BackendChoice wanted, const std::string& why) {
  if (wanted != BackendChoice::kUring) return "there is no event loop to be had: " + why;
  return "event_loop = \"io_uring\" is not to be had here: " + why +
         "; set it to \"auto\" or \"epoll\" in [daemon], `pqctl doctor` looks closer";
}

}  // namespace

std::expected<std::unique_ptr<Supervisor>, StartFailure> Supervisor::create(SupervisorOptions options) {
  options.access.daemon_uid = ::geteuid();
  if (auto enough = raise_open_files(options.sessions_max); !enough) return std::unexpected(enough.error());
  auto parts = make_parts(options);
  if (!parts) return std::unexpected(parts.error());
  std::unique_ptr<Supervisor> made(new Supervisor(std::move(options), std::move(*parts)));
  Supervisor& self = *made;
  auto listener = Listener::open(*self.parts_.loop, self.options_.socket_path,
                                 self.options_.access.lets_others_in() ? 0666 : 0600,
                                 [&self](UniqueFd socket) { self.reception_.arrived(std::move(socket)); });
  if (!listener) return std::unexpected(listener.error());
  self.listener_ = std::move(*listener);
  return made;
}

std::expected<Supervisor::Parts, StartFailure> Supervisor::make_parts(const SupervisorOptions& options) {
  const auto socket_dir = std::filesystem::path(options.socket_path).parent_path().string();
  if (auto made = make_directory(options.state_dir); !made) return std::unexpected(made.error());
  const mode_t socket_dir_mode = options.access.lets_others_in() ? 0755 : 0700;
  if (auto made = make_directory(socket_dir, socket_dir_mode); !made) return std::unexpected(made.error());
  auto state_lock = take_lock(options.state_dir + "/supervisor.lock", options.state_dir);
  if (!state_lock) return std::unexpected(state_lock.error());
  auto socket_lock = take_lock(options.socket_path + ".lock", options.socket_path);
  if (!socket_lock) return std::unexpected(socket_lock.error());
  auto counter = SessionCounter::open(options.state_dir);
  if (!counter) return std::unexpected(counter.error());
  auto signals = SignalWatch::create();
  if (!signals) return system_failure(signals.error());
  auto loop = EventLoop::create(options.event_loop);
  if (!loop)
    return std::unexpected(StartFailure{kExitSystem, no_loop_text(options.event_loop, loop.error())});
  auto wake_fd = create_memfd("pqd-wake", wake_layout().file_bytes());
  if (!wake_fd) return system_failure(wake_fd.error());
  auto wake = WakeSegment::map(wake_fd->get(), Access::kReadWrite, OnFork::kInherit);
  if (!wake) return system_failure(wake.error());
  if (auto sealed = seal_for_client_reading(wake_fd->get()); !sealed) return system_failure(sealed.error());
  return Parts{std::move(*state_lock), std::move(*socket_lock), std::move(*signals), std::move(*loop),
               std::move(*counter),    std::move(*wake_fd),     std::move(*wake)};
}

Supervisor::Supervisor(SupervisorOptions options, Parts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      notify_(Notify::from_environment()),
      engine_(*parts_.loop,
              EngineStart{.library = options_.engine_library,
                          .config_toml = options_.config_toml.c_str(),
                          .wake_base = reinterpret_cast<uint64_t>(parts_.wake.base()),
                          .first_session = parts_.counter.first(),
                          .grants = {}},
              options_.engine_backoff, options_.stop_timeout_ns, engine_hooks()),
      reception_(*parts_.loop, table_, parts_.counter, engine_, parts_.wake_fd.get(), options_) {}

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
  listener_.reset();
  done_ = true;
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
