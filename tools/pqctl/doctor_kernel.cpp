// What the kernel offers: version, io_uring, sealed memory files, pidfds, clock, CPUs.
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "shm/mapping.h"
#include "shm/memfd.h"
#include "tools/pqctl/doctor.h"

namespace pqd::ctl {
namespace {

constexpr unsigned kMajorMin = 5;
constexpr unsigned kMinorMin = 13;
constexpr unsigned kSpinCpusMin = 3;  // as the client library has it
constexpr size_t kTrialBytes = 4'096;

std::string first_word_of(const char* file) {
  std::string word;
  std::ifstream(file) >> word;
  return word;
}

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? names.release : "";
}

std::expected<std::string, std::string> try_uring() {
  const auto loop = EventLoop::create(BackendChoice::kUring);
  if (!loop) return std::unexpected(loop.error());
  return (*loop)->description();
}

// As the daemon does it: mapped for writing first, then sealed against everybody else. The error names the
// step.
std::expected<void, std::string> try_seals() {
  const auto failure = [](const SysError& error) {
    return std::unexpected(std::string(error.call) + ": " + errno_text(error.number));
  };
  const auto fd = create_memfd("pqd-doctor", kTrialBytes);
  if (!fd) return failure(fd.error());
  void* const ours = ::mmap(nullptr, kTrialBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0);
  if (ours == MAP_FAILED) return failure(SysError::last("mmap"));
  const auto sealed = seal_for_client_reading(fd->get());
  void* const theirs = ::mmap(nullptr, kTrialBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0);
  if (theirs != MAP_FAILED) ::munmap(theirs, kTrialBytes);
  *static_cast<volatile char*>(ours) = 1;  // a mapping from before stays writable
  ::munmap(ours, kTrialBytes);
  if (!sealed) return failure(sealed.error());
  if (theirs != MAP_FAILED) return std::unexpected("a sealed file could still be mapped for writing");
  return {};
}

Finding check_seals() {
  if (const auto works = try_seals(); !works)
    return {"memfd seals", Verdict::kFail, works.error(),
            "sessions need memfd_create and F_SEAL_FUTURE_WRITE (Linux 5.1): take a newer kernel, or let the "
            "seccomp filter pass them"};
  return {"memfd seals", Verdict::kOk, "created, sealed with F_SEAL_FUTURE_WRITE, closed to writers"};
}

Finding check_pidfd() {
  const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (fd) return {"pidfd", Verdict::kOk, "pidfd_open works"};
  return {
      "pidfd", Verdict::kFail, "pidfd_open: " + errno_text(errno),
      "the supervisor watches its engine by it (Linux 5.3): take a newer kernel, or let the seccomp filter "
      "pass it"};
}

unsigned usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

// What would let io_uring in, by the words that the event loop found for its absence.
std::string uring_remedy(std::string_view why) {
  if (why.find("io_uring_disabled") != std::string_view::npos)
    return "set kernel.io_uring_disabled to 0, or to 1 with the daemon's group in kernel.io_uring_group, by "
           "sysctl";
  if (why.find("older than") != std::string_view::npos) return "take Linux 5.13 or newer";
  if (why.find("seccomp") != std::string_view::npos)
    return "let the seccomp profile of the container or service pass io_uring_setup, io_uring_enter and "
           "io_uring_register";
  return "look up what the kernel said, in io_uring_setup(2)";
}

}  // namespace

Finding judge_kernel(std::string_view release) {
  unsigned major = 0;
  unsigned minor = 0;
  const std::string text = "Linux " + std::string(release);
  if (std::sscanf(std::string(release).c_str(), "%u.%u", &major, &minor) != 2)
    return {"kernel", Verdict::kWarn, text + " has no version that can be read",
            "expect Linux 5.13 or newer"};
  if (major > kMajorMin || (major == kMajorMin && minor >= kMinorMin)) return {"kernel", Verdict::kOk, text};
  return {"kernel", Verdict::kWarn, text + " is older than 5.13, which io_uring needs here",
          "take a newer kernel; pqd runs with epoll until then"};
}

Finding judge_uring(BackendChoice wanted, const std::expected<std::string, std::string>& found) {
  if (wanted == BackendChoice::kEpoll)
    return {
        "io_uring", Verdict::kOk,
        "not used, the configuration says epoll" + (found ? "" : " (not to be had: " + found.error() + ")")};
  if (found) return {"io_uring", Verdict::kOk, *found};
  if (wanted == BackendChoice::kUring)
    return {"io_uring", Verdict::kFail, found.error(),
            uring_remedy(found.error()) + "; or set event_loop = \"auto\" in [daemon]"};
  return {"io_uring", Verdict::kWarn, "epoll is used instead, " + found.error(), uring_remedy(found.error())};
}

Finding judge_clock(std::string_view source) {
  if (source.empty()) return {"clock source", Verdict::kOk, "not told"};
  for (const std::string_view slow : {"hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit", "xen"})
    if (source == slow)
      return {"clock source", Verdict::kWarn, std::string(source) + ", which is slow to read",
              "boot with clocksource=tsc where the machine's TSC is stable"};
  return {"clock source", Verdict::kOk, std::string(source)};
}

Finding judge_cpus(unsigned cpus) {
  if (cpus == 1)
    return {"cpus", Verdict::kWarn, "1, which the daemon and all its clients share",
            "give the host two or more; clients sleep instead of spinning"};
  return {"cpus", Verdict::kOk,
          std::to_string(cpus) + (cpus < kSpinCpusMin ? ", clients sleep instead of spinning"
                                                      : ", clients spin briefly before they sleep")};
}

Findings check_kernel(BackendChoice wanted) {
  return {judge_kernel(kernel_release()),
          judge_uring(wanted, try_uring()),
          check_seals(),
          check_pidfd(),
          judge_clock(first_word_of("/sys/devices/system/clocksource/clocksource0/current_clocksource")),
          judge_cpus(usable_cpus())};
}

}  // namespace pqd::ctl
