#include "tests/bench/keeper.h"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace pqd::bench {
namespace {

constexpr int kUnavailable = 69;

std::atomic<pid_t> g_worker{0};

void pass_on(int signal) {
  if (const pid_t worker = g_worker.load(); worker > 0) ::kill(worker, signal);
}

std::vector<pid_t> own_children() {
  std::vector<pid_t> pids;
  const std::string self = std::to_string(::getpid());
  std::ifstream children("/proc/" + self + "/task/" + self + "/children");
  for (pid_t pid = 0; children >> pid;) pids.push_back(pid);
  return pids;
}

// Orphans of the worker come to us, and theirs when they die.
void end_orphans() {
  for (std::vector<pid_t> pids = own_children(); !pids.empty(); pids = own_children()) {
    for (const pid_t pid : pids) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }
}

// What has no place in a directory, message queues and iceoryx' sockets: their names carry the worker's pid.
void remove_shared_names(pid_t worker) {
  const std::string ours = "pqd-bench-" + std::to_string(worker) + "-";
  for (const char* place : {"/dev/shm", "/dev/mqueue", "/tmp"}) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(place, ignored))
      if (entry.path().filename().string().starts_with(ours)) std::filesystem::remove(entry.path(), ignored);
  }
}

// iceoryx knows one set of names for the whole machine. Ours when there was none before.
bool iceoryx_is_there() { return std::filesystem::exists("/dev/shm/iceoryx_mgmt"); }
void remove_iceoryx() {
  const group* const own = ::getgrgid(::getegid());
  std::error_code ignored;
  if (own != nullptr) std::filesystem::remove(std::string("/dev/shm/") + own->gr_name, ignored);
  for (const char* path : {"/dev/shm/iceoryx_mgmt", "/tmp/roudi", "/tmp/roudi.lock"})
    std::filesystem::remove(path, ignored);
}

}  // namespace

int kept(const std::string& base, const std::function<int()>& work) {
  const char* const set = std::getenv("TMPDIR");
  std::string directory = (!base.empty() ? base : set != nullptr ? set : "/tmp") + "/pqd-bench-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    std::fprintf(stderr, "bench: no directory can be made as %s\n", directory.c_str());
    return kUnavailable;
  }
  // Servers that are another user's have their directories in it: they pass, and see nothing else.
  ::chmod(directory.c_str(), 0711);
  const bool others_iceoryx = iceoryx_is_there();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t parent = ::getpid();
  std::fflush(nullptr);
  const pid_t worker = ::fork();
  if (worker == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    // A shell has what it puts into the background ignore SIGINT.
    ::signal(SIGINT, SIG_DFL);
    ::setenv("TMPDIR", directory.c_str(), 1);
    const int result = work();
    std::fflush(nullptr);
    ::_exit(result);
  }
  int status = kUnavailable << 8;
  if (worker > 0) {
    g_worker = worker;
    struct sigaction passing = {};
    passing.sa_handler = pass_on;
    ::sigaction(SIGINT, &passing, nullptr);
    ::sigaction(SIGTERM, &passing, nullptr);
    while (::waitpid(worker, &status, 0) < 0 && errno == EINTR) {
    }
    g_worker = 0;
  }
  end_orphans();
  if (worker > 0) remove_shared_names(worker);
  if (!others_iceoryx && iceoryx_is_there()) remove_iceoryx();
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace pqd::bench
