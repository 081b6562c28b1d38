#include "daemon/supervisor/engine_child.h"

#include <dlfcn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "daemon/supervisor/open_files.h"
#include "daemon/supervisor/signal_watch.h"
#include "shm/seqpacket.h"

namespace pqd {
namespace {

constexpr WireTimeout kFatalTimeout{1000};

// The supervisor's death ends the engine: without one nobody watches the clients' sockets, and the next
// supervisor's engine wants the store.
void die_with(int supervisor_pid) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor_pid) ::_exit(kEngineExitRestart);
}

// Not listener, locks, clients' sockets, ring and pidfds of the loop: all that is not the engine's.
std::vector<int> kept_fds(const EngineStart& start, int link_fd) {
  std::vector<int> keep{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, link_fd, start.lock_fd};
  for (const SessionGrant& grant : start.grants)
    keep.insert(keep.end(), {grant.up_fd, grant.down_fd, grant.client_doorbell_fd, grant.engine_doorbell_fd});
  return keep;
}

[[noreturn]] void halt(int link_fd, const std::string& text) {
  LinkMessage message;
  message.kind = LinkKind::kFatal;
  std::copy_n(text.begin(), std::min(text.size(), sizeof message.text - 1), message.text);
  [[maybe_unused]] const auto sent = send_message(link_fd, message, {}, kFatalTimeout);
  ::_exit(kEngineExitHalt);
}

EngineMain load(const std::string& library, int link_fd) {
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) halt(link_fd, std::string("cannot load the engine: ") + ::dlerror());
  void* entry = ::dlsym(handle, kEngineEntry);
  if (entry == nullptr) halt(link_fd, library + " is no engine of pqd: it has no " + kEngineEntry);
  return reinterpret_cast<EngineMain>(entry);
}

}  // namespace

void become_engine(const EngineStart& start, int link_fd, int supervisor_pid) {
  die_with(supervisor_pid);
  ::prctl(PR_SET_NAME, "pqd-engine");
  SignalWatch::leave_to_parent();
  close_all_but(kept_fds(start, link_fd));
  const EngineMain engine_main = load(start.library, link_fd);
  EngineArgs args;
  args.link_fd = link_fd;
  args.partitions = static_cast<uint32_t>(start.wake_bases.size());
  args.wake_bases = start.wake_bases.data();
  args.first_session = start.first_session;
  args.config_toml = start.config_toml;
  args.sessions = start.grants.data();
  args.session_count = start.grants.size();
  const int status = engine_main(&args);
  std::fflush(nullptr);
  ::_exit(status);
}

}  // namespace pqd
