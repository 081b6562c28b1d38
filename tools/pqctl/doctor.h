// What pqctl doctor looks at: each check looks (looking may need a kernel, a daemon) and judges (pure, so
// that tests can show it any host). Values; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/info.h"
#include "daemon/config/config.h"
#include "tools/pqctl/context.h"

namespace pqd::ctl {

enum class Verdict : uint8_t { kOk, kWarn, kFail };

struct Finding {
  std::string check;  // a word that scripts may go by
  Verdict verdict = Verdict::kOk;
  std::string text;      // what was found
  std::string remedy{};  // what to do; empty when ok
};
using Findings = std::vector<Finding>;

// What is known of the daemon without talking to it.
struct DaemonTrace {
  std::string socket{};
  int pid = 0;                       // 0 = the socket could not be connected to
  std::optional<Failure> failure{};  // then why
  std::string program{};             // "" = may not be seen
};

// doctor_kernel.cpp
Findings check_kernel(BackendChoice wanted);
Finding judge_kernel(std::string_view release);
// `found` is a description, or why it is not to be had.
Finding judge_uring(BackendChoice wanted, const std::expected<std::string, std::string>& found);
Finding judge_clock(std::string_view clock_source);
Finding judge_cpus(unsigned cpus);

// doctor_limits.cpp
Findings check_limits(const DaemonConfig& config, int daemon_pid);
Finding judge_open_files(uint64_t limit, uint32_t sessions_max, bool of_daemon);
Finding judge_memory(uint64_t available_bytes, uint64_t session_memory_bytes);

// doctor_disk.cpp
Findings check_disk(const std::string& state_dir, uint64_t reserved_bytes);
Finding judge_file_system(int64_t type, std::string_view directory);
Finding judge_free_disk(uint64_t free_bytes, uint64_t reserved_bytes, std::string_view directory);

// doctor_daemon.cpp
DaemonTrace trace_daemon(const std::string& socket);
Findings check_daemon(Context& context, const DaemonTrace& daemon);
Finding judge_program(std::string_view program);
Finding judge_health(const HealthInfo& health);

// doctor_versions.cpp
Finding check_versions();

// "1.2 GiB"
std::string bytes_in_words(uint64_t bytes);

}  // namespace pqd::ctl
