// From nothing, or from what an earlier supervisor left, to one that can run.
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "daemon/supervisor/largest_payload.h"
#include "daemon/supervisor/open_files.h"
#include "daemon/supervisor/private_directory.h"
#include "daemon/supervisor/returned_session.h"
#include "daemon/supervisor/supervisor.h"
#include "shm/crash_point.h"
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

// The engine of a supervisor that died dies with it, but not in the same instant.
constexpr int64_t kEngineEndNs = 20'000'000'000;
constexpr WireTimeout kHandOverTimeout{5'000};

}  // namespace

std::expected<std::unique_ptr<Supervisor>, StartFailure> Supervisor::create(SupervisorOptions options) {
  InheritedFds inherited = sort_inherited(take_listen_fds());
  options.access.daemon_uid = ::geteuid();
  if (auto enough = raise_open_files(options.sessions_max); !enough) return std::unexpected(enough.error());
  auto parts = make_parts(options);
  if (!parts) return std::unexpected(parts.error());
  const auto largest = largest_payload(options.state_dir, options.max_payload_bytes);
  if (!largest) return std::unexpected(largest.error());
  options.delivered_payload_bytes = *largest;
  std::unique_ptr<Supervisor> made(new Supervisor(std::move(options), std::move(*parts)));
  made->take_back_sessions(inherited);
  if (auto listens = made->listen(inherited); !listens) return std::unexpected(listens.error());
  return made;
}

std::expected<void, StartFailure> Supervisor::listen(InheritedFds& inherited) {
  const mode_t mode = options_.access.lets_others_in() ? 0666 : 0600;
  const auto arrival = [this](UniqueFd socket) { reception_.arrived(std::move(socket)); };
  if (inherited.listener) {
    auto adopted =
        Listener::adopt(*parts_.loop, options_.socket_path, std::move(inherited.listener), arrival);
    if (adopted) {
      // The rules may have changed; a unit's socket is the unit's.
      if (inherited.listener_is_kept) {
        ::chmod(options_.socket_path.c_str(), mode);
        store_.count_listener();
      }
      listener_ = std::move(*adopted);
      listener_->keep_file(true);
      return {};
    }
    spdlog::warn("the listener that the service manager hands in is of no use: {}", adopted.error());
  }
  if (inherited.listener_is_kept) store_.forget(std::string(kListenerName));
  auto listener = Listener::open(*parts_.loop, options_.socket_path, mode, arrival);
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  listener_->keep_file(store_.usable() && store_.keep_listener(listener_->fd()));
  return {};
}

// Before any engine is started: from then on the old Downs are out of date, and must not be in the store.
void Supervisor::take_back_sessions(InheritedFds& inherited) {
  if (!inherited.strays.empty())
    spdlog::warn("{} descriptors of an earlier supervisor belong to no whole session and are closed",
                 inherited.strays.size());
  for (const std::string& name : inherited.strays) store_.forget(name);
  for (auto& [number, parts] : inherited.sessions) {
    auto session = take_back(number, parts);
    const auto taken = session ? reception_.take_back(*session) : std::unexpected(session.error());
    if (taken) continue;
    reception_.let_go(
        std::move(session ? session->socket : parts[static_cast<size_t>(SessionPart::kSocket)]));
    spdlog::warn("session {} of an earlier supervisor is not taken back: {}", number, taken.error());
    for (size_t part = 0; part < kSessionPartCount; ++part)
      store_.forget(part_name(number, static_cast<SessionPart>(part)));
  }
  PQD_CRASH_POINT("kept-taken-back");
  if (table_.size() == 0) return;
  if (!notify_socket_.flush(kHandOverTimeout)) {
    spdlog::error("the service manager does not hear us: the sessions of the earlier supervisor are ended");
    return reception_.end_all();
  }
  spdlog::info("{} sessions of the earlier supervisor go on", table_.size());
  reception_.renew_returned();
}

std::expected<Supervisor::WakeFile, SysError> Supervisor::make_wake_file() {
  auto fd = create_memfd("pqd-wake", wake_layout().file_bytes());
  if (!fd) return std::unexpected(fd.error());
  auto mapping = WakeSegment::map(fd->get(), Access::kReadWrite, OnFork::kInherit);
  if (!mapping) return std::unexpected(mapping.error());
  if (auto sealed = seal_for_client_reading(fd->get()); !sealed) return std::unexpected(sealed.error());
  return WakeFile{std::move(*fd), std::move(*mapping)};
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
  auto engine_lock = take_lock(options.state_dir + "/engine.lock", options.state_dir, kEngineEndNs);
  if (!engine_lock) return std::unexpected(engine_lock.error());
  auto counter = SessionCounter::open(options.state_dir);
  if (!counter) return std::unexpected(counter.error());
  auto signals = SignalWatch::create();
  if (!signals) return system_failure(signals.error());
  auto loop = EventLoop::create(options.event_loop);
  if (!loop)
    return std::unexpected(StartFailure{kExitSystem, no_loop_text(options.event_loop, loop.error())});
  std::vector<WakeFile> wakes;
  for (uint32_t i = 0; i < options.partitions; ++i) {
    auto wake = make_wake_file();
    if (!wake) return system_failure(wake.error());
    wakes.push_back(std::move(*wake));
  }
  return Parts{std::move(*state_lock), std::move(*socket_lock), std::move(*engine_lock), std::move(*signals),
               std::move(*loop),       std::move(*counter),     std::move(wakes)};
}

}  // namespace pqd
