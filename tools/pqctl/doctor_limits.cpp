// Limits against what the configuration asks for. RLIMIT_MEMLOCK is not among them: rings count against it
// before Linux 5.12 only, and there the event loop is epoll anyway.
#include <sys/resource.h>

#include <cstdio>
#include <fstream>

#include "shm/sizes.h"
#include "tools/pqctl/doctor.h"

namespace pqd::ctl {
namespace {

// As the supervisor counts: socket, two memory files, two doorbells; and some of its own.
constexpr uint64_t kFdsPerSession = 5;
constexpr uint64_t kFdsBeside = 64;
constexpr uint64_t kFdsMin = 192;  // without which it does not start

// The daemon's hard limit, which it raises its soft one to; nothing when it may not be seen.
std::optional<uint64_t> open_files_of(int pid) {
  std::ifstream limits("/proc/" + std::to_string(pid) + "/limits");
  for (std::string line; std::getline(limits, line);) {
    unsigned long long hard = 0;
    if (std::sscanf(line.c_str(), "Max open files %*s %llu", &hard) == 1) return hard;
  }
  return std::nullopt;
}

uint64_t own_open_files() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : 0;
}

uint64_t available_memory() {
  std::ifstream memory("/proc/meminfo");
  for (std::string line; std::getline(memory, line);) {
    unsigned long long kib = 0;
    if (std::sscanf(line.c_str(), "MemAvailable: %llu kB", &kib) == 1) return kib << 10;
  }
  return 0;
}

}  // namespace

Finding judge_open_files(uint64_t limit, uint32_t sessions_max, bool of_daemon) {
  const uint64_t needed = sessions_max * kFdsPerSession + kFdsBeside;
  const std::string text = std::to_string(limit) + (of_daemon ? " for the daemon" : " for this user") + ", " +
                           std::to_string(sessions_max) + " sessions take " + std::to_string(needed);
  if (limit < kFdsMin)
    return {"open files", Verdict::kFail, text,
            "raise the hard limit of open files (ulimit -n, LimitNOFILE= in a unit): pqd does not start with "
            "fewer than " +
                std::to_string(kFdsMin)};
  if (limit >= needed) return {"open files", Verdict::kOk, text};
  return {"open files", Verdict::kWarn, text,
          "raise the hard limit of open files (ulimit -n, LimitNOFILE= in a unit), or lower sessions_max"};
}

Finding judge_memory(uint64_t available_bytes, uint64_t session_memory_bytes) {
  const uint64_t session = session_bytes(SegmentSizes());
  const std::string text = bytes_in_words(available_bytes) + " available, sessions may take " +
                           bytes_in_words(session_memory_bytes);
  if (session_memory_bytes < session)
    return {"memory", Verdict::kFail,
            "session_memory_bytes holds no session of default size, which takes " + bytes_in_words(session),
            "raise session_memory_bytes"};
  if (available_bytes >= session_memory_bytes) return {"memory", Verdict::kOk, text};
  if (available_bytes < session)
    return {"memory", Verdict::kFail, text, "free memory: not one client of default size can connect"};
  return {"memory", Verdict::kWarn, text,
          "lower session_memory_bytes, so that clients are refused before memory runs out"};
}

Findings check_limits(const DaemonConfig& config, int daemon_pid) {
  const auto of_daemon = daemon_pid > 0 ? open_files_of(daemon_pid) : std::nullopt;
  return {judge_open_files(of_daemon.value_or(own_open_files()), config.sessions_max, of_daemon.has_value()),
          judge_memory(available_memory(), config.session_memory_bytes)};
}

}  // namespace pqd::ctl
