// What pqctl doctor makes of hosts that are not this one, and of this one.
#include "tools/pqctl/doctor.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "tests/support/program.h"

namespace pqd::ctl {
namespace {

using test::TempDir;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Whatever is not well says what to do.
void expect(const Finding& finding, Verdict verdict, const std::string& text,
            const std::string& remedy = "") {
  EXPECT_EQ(finding.verdict, verdict) << finding.text;
  EXPECT_TRUE(has(finding.text, text)) << finding.text;
  EXPECT_TRUE(has(finding.remedy, remedy)) << finding.remedy;
  EXPECT_EQ(finding.remedy.empty(), verdict == Verdict::kOk) << finding.remedy;
}

TEST(Doctor, WantsAKernelThatHasIoUringAsItIsUsedHere) {
  for (const char* good : {"5.13.0", "5.13", "5.19-rc1", "6.1.0-13-amd64", "10.0"})
    expect(judge_kernel(good), Verdict::kOk, good);
  for (const char* old : {"5.12.19", "4.19.0-25-amd64", "3.10"})
    expect(judge_kernel(old), Verdict::kWarn, "older than 5.13", "newer kernel");
  expect(judge_kernel("unreadable"), Verdict::kWarn, "unreadable", "5.13");
}

TEST(Doctor, SaysWhyThereIsNoIoUringAndWhatWouldLetItIn) {
  const auto why = [](const char* text) {
    return std::expected<std::string, std::string>(std::unexpect, text);
  };
  expect(judge_uring(BackendChoice::kAuto, "io_uring with X"), Verdict::kOk, "io_uring with X");
  expect(judge_uring(BackendChoice::kAuto, why("EPERM (kernel.io_uring_disabled=2)")), Verdict::kWarn,
         "epoll is used instead", "sysctl");
  expect(judge_uring(BackendChoice::kAuto, why("ENOSYS (a kernel without io_uring, or a seccomp filter)")),
         Verdict::kWarn, "ENOSYS", "io_uring_setup");
  expect(judge_uring(BackendChoice::kAuto, why("io_uring is older than Linux 5.13 here")), Verdict::kWarn,
         "older", "newer");
  expect(judge_uring(BackendChoice::kUring, why("EMFILE (Too many open files)")), Verdict::kFail, "EMFILE",
         "event_loop = \"auto\"");
  expect(judge_uring(BackendChoice::kEpoll, why("EPERM")), Verdict::kOk, "not used");
  expect(judge_uring(BackendChoice::kEpoll, "io_uring"), Verdict::kOk, "not used");
}

TEST(Doctor, KnowsClocksThatAreSlowToRead) {
  for (const char* good : {"tsc", "kvm-clock", "arch_sys_counter", ""})
    EXPECT_EQ(judge_clock(good).verdict, Verdict::kOk) << good;
  for (const char* slow : {"hpet", "acpi_pm", "jiffies"})
    expect(judge_clock(slow), Verdict::kWarn, slow, "clocksource=tsc");
}

TEST(Doctor, SaysWhetherClientsSpin) {
  expect(judge_cpus(1), Verdict::kWarn, "share", "two or more");
  expect(judge_cpus(2), Verdict::kOk, "sleep instead");
  expect(judge_cpus(8), Verdict::kOk, "spin briefly");
}

TEST(Doctor, CountsOpenFilesAgainstSessions) {
  expect(judge_open_files(5'184, 1'024, true), Verdict::kOk, "for the daemon");
  expect(judge_open_files(5'183, 1'024, false), Verdict::kWarn, "5184", "sessions_max");
  expect(judge_open_files(191, 8, true), Verdict::kFail, "191", "fewer than 192");
  expect(judge_open_files(192, 8, true), Verdict::kOk, "192 for the daemon");
}

TEST(Doctor, HoldsMemoryAgainstWhatSessionsMayTake) {
  constexpr uint64_t kGiB = 1ull << 30;
  expect(judge_memory(8 * kGiB, 4 * kGiB), Verdict::kOk, "8 GiB");
  expect(judge_memory(2 * kGiB, 4 * kGiB), Verdict::kWarn, "2 GiB", "session_memory_bytes");
  expect(judge_memory(1 << 20, 4 * kGiB), Verdict::kFail, "1 MiB", "free memory");
  expect(judge_memory(8 * kGiB, 1 << 20), Verdict::kFail, "no session", "raise");
}

TEST(Doctor, KnowsFileSystemsThatKeepNothing) {
  expect(judge_file_system(0xef53, "/x"), Verdict::kOk, "ext4");
  expect(judge_file_system(0x01021994, "/x"), Verdict::kWarn, "tmpfs under /x", "state_dir");
  expect(judge_file_system(0x6969, "/x"), Verdict::kWarn, "nfs", "local disk");
  expect(judge_file_system(0x794c7630, "/x"), Verdict::kWarn, "container", "state_dir");
  EXPECT_EQ(judge_file_system(12'345, "/x").verdict, Verdict::kOk);
}

TEST(Doctor, HoldsFreeDiskAgainstTheReserve) {
  constexpr uint64_t kMiB = 1ull << 20;
  expect(judge_free_disk(1'000 * kMiB, 256 * kMiB, "/x"), Verdict::kOk, "1000 MiB free");
  expect(judge_free_disk(300 * kMiB, 256 * kMiB, "/x"), Verdict::kWarn, "near", "free space");
  expect(judge_free_disk(200 * kMiB, 256 * kMiB, "/x"), Verdict::kFail, "NO_SPACE", "reserved_bytes");
  expect(judge_free_disk(8 * kMiB, 0, "/x"), Verdict::kFail, "a start takes 16 MiB", "free space");
}

TEST(Doctor, LooksAtTheStateDirectory) {
  const TempDir directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0700), 0);
  expect(check_disk(directory.path(), 0).front(), Verdict::kOk, directory.path());
  expect(check_disk(directory.path("a/b"), 0).front(), Verdict::kOk, "first start makes it");
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  expect(check_disk(directory.path(), 0).front(), Verdict::kWarn, "open to others", "chmod 700");
  expect(check_disk("/dev/null", 0).front(), Verdict::kFail, "no directory", "state_dir");
}

TEST(Doctor, NoticesADaemonWhoseProgramWasReplaced) {
  expect(judge_program("/usr/bin/pqd"), Verdict::kOk, "/usr/bin/pqd");
  expect(judge_program("/usr/bin/pqd (deleted)"), Verdict::kWarn, "/usr/bin/pqd was replaced", "restart");
}

TEST(Doctor, PassesOnWhyTheDaemonIsNotWell) {
  HealthInfo health;
  expect(judge_health(health), Verdict::kOk, "healthy");
  health.status = 1;
  health.degraded_reasons = {"queue mail is 95 % full"};
  expect(judge_health(health), Verdict::kWarn, "degraded, queue mail is 95 % full", "pqctl health");
  health.status = 2;
  expect(judge_health(health), Verdict::kFail, "unhealthy", "pqctl");
}

TEST(Doctor, FindsThatThisKernelDoesWhatSessionsNeed) {
  for (const Finding& finding : check_kernel(BackendChoice::kAuto)) {
    if (finding.check == "memfd seals" || finding.check == "pidfd") {
      EXPECT_EQ(finding.verdict, Verdict::kOk) << finding.text;
    }
  }
}

// The verdict on one check of the kernel, in a child for which seccomp refuses a system call.
Verdict verdict_without(long system_call, std::string_view check) {
  const pid_t child = ::fork();
  if (child == 0) {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(system_call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{std::size(program), program};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
    const Findings findings = check_kernel(BackendChoice::kAuto);
    const auto found = std::ranges::find(findings, check, &Finding::check);
    ::_exit(found == findings.end() || found->remedy.empty() ? 0 : static_cast<int>(found->verdict));
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  return static_cast<Verdict>(WEXITSTATUS(status));
}

TEST(Doctor, NoticesWhatASeccompFilterTakesAway) {
  EXPECT_EQ(verdict_without(SYS_io_uring_setup, "io_uring"), Verdict::kWarn);
  EXPECT_EQ(verdict_without(SYS_memfd_create, "memfd seals"), Verdict::kFail);
  EXPECT_EQ(verdict_without(SYS_pidfd_open, "pidfd"), Verdict::kFail);
}

TEST(Doctor, ShowsBytesInFewDigits) {
  EXPECT_EQ(bytes_in_words(0), "0 bytes");
  EXPECT_EQ(bytes_in_words(1'023), "1023 bytes");
  EXPECT_EQ(bytes_in_words(1'024), "1 KiB");
  EXPECT_EQ(bytes_in_words(1'536), "1.5 KiB");
  EXPECT_EQ(bytes_in_words(200ull << 20), "200 MiB");
  EXPECT_EQ(bytes_in_words((4ull << 30) - 1), "3.9 GiB");
  EXPECT_EQ(bytes_in_words(3ull << 50), "3072 TiB");
}

}  // namespace
}  // namespace pqd::ctl
