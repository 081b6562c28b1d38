#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <set>

#include "daemon/loop/uring_ring.h"
#include "tests/daemon/loop/fixtures.h"

namespace pqd::loop_test {
namespace {

// What seccomp makes of that system call in the calling process from now on.
bool filter_syscall(long number, uint32_t verdict) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, verdict),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

bool refuse_syscall(long number, int error) {
  return filter_syscall(number, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error));
}

bool says(const std::string& text, std::string_view what) {
  if (text.find(what) != std::string::npos) return true;
  std::fprintf(stderr, "not there: \"%.*s\" in \"%s\"\n", static_cast<int>(what.size()), what.data(),
               text.c_str());
  return false;
}

bool hears_a_doorbell_and_a_timer(EventLoop& loop) {
  const UniqueFd bell = make_eventfd(1);
  bool heard = false;
  bool rang = false;
  loop.watch_doorbell(bell.get(), [&] { heard = true; });
  loop.arm_timer(EventLoop::monotonic_ns() + 2 * kMsNs + 1, [&] { rang = true; });
  for (int i = 0; i < 1000 && !(heard && rang); ++i) loop.run(10 * kMsNs);
  return heard && rang;
}

TEST(BackendChoice, IsReadFromItsThreeNames) {
  EXPECT_EQ(parse_backend_choice("auto"), BackendChoice::kAuto);
  EXPECT_EQ(parse_backend_choice("io_uring"), BackendChoice::kUring);
  EXPECT_EQ(parse_backend_choice("epoll"), BackendChoice::kEpoll);
  for (const char* other : {"", "uring", "EPOLL", "epoll "})
    EXPECT_EQ(parse_backend_choice(other), std::nullopt);
}

TEST(BackendChoice, EpollIsTakenWhenAskedFor) {
  const auto loop = EventLoop::create(BackendChoice::kEpoll);
  ASSERT_TRUE(loop);
  EXPECT_EQ((*loop)->backend(), BackendChoice::kEpoll);
  EXPECT_EQ((*loop)->description(), "epoll, as configured");
}

TEST(BackendChoice, AutoTakesIoUringWhereItIsToBeHad) {
  const auto asked = EventLoop::create(BackendChoice::kUring);
  if (!asked) GTEST_SKIP() << asked.error();
  const auto loop = EventLoop::create(BackendChoice::kAuto);
  ASSERT_TRUE(loop);
  EXPECT_EQ((*loop)->backend(), BackendChoice::kUring);
  EXPECT_TRUE((*loop)->description().starts_with("io_uring")) << (*loop)->description();
}

TEST(BackendChoice, AutoFallsBackToEpollUnderASeccompFilterAndSaysWhy) {
  ChildProcess child([] {
    if (!refuse_syscall(SYS_io_uring_setup, EPERM)) return 2;
    auto loop = EventLoop::create(BackendChoice::kAuto);
    if (!loop || (*loop)->backend() != BackendChoice::kEpoll) return 3;
    if (!says((*loop)->description(), "epoll: io_uring_setup said EPERM (")) return 4;
    return hears_a_doorbell_and_a_timer(**loop) ? 0 : 5;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(BackendChoice, IoUringAskedForAndRefusedIsAnErrorThatSaysWhy) {
  ChildProcess child([] {
    if (!refuse_syscall(SYS_io_uring_setup, ENOSYS)) return 2;
    auto loop = EventLoop::create(BackendChoice::kUring);
    if (loop) return 3;
    return says(loop.error(), "io_uring_setup said ENOSYS (") ? 0 : 4;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(BackendChoice, AutoFallsBackWhenOnlyTheRegistrationIsRefused) {
  ChildProcess child([] {
    if (!refuse_syscall(SYS_io_uring_register, EPERM)) return 2;
    auto loop = EventLoop::create(BackendChoice::kAuto);
    if (!loop || (*loop)->backend() != BackendChoice::kEpoll) return 3;
    // A kernel without io_uring says so before anything is registered.
    return says((*loop)->description(), "epoll: io_uring_") ? 0 : 4;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(BackendChoice, EpollWorksWithoutFineTimeouts) {
  for (const int error : {ENOSYS, EPERM}) {
    ChildProcess child([error] {
      if (!refuse_syscall(SYS_epoll_pwait2, error)) return 2;
      auto loop = EventLoop::create(BackendChoice::kEpoll);
      return loop && hears_a_doorbell_and_a_timer(**loop) ? 0 : 3;
    });
    EXPECT_EQ(child.wait(), 0) << error;
  }
}

// A worker that spins between batches looks thousands of times in vain.
TEST(IoUring, LookingInVainMakesNoSystemCall) {
  ChildProcess child([] {
    auto loop = EventLoop::create(BackendChoice::kUring);
    if (!loop || !says((*loop)->description(), "TASKRUN")) return 77;
    const UniqueFd silent = make_eventfd();
    (*loop)->watch(silent.get(), [] {});
    (*loop)->run(0);
    if (!filter_syscall(SYS_io_uring_enter, SECCOMP_RET_KILL_PROCESS)) return 2;
    for (int i = 0; i < 1000; ++i) (*loop)->run(0);
    return 0;
  });
  const int code = child.wait();
  if (code == 77) GTEST_SKIP() << "no io_uring here, or one that interrupts";
  EXPECT_EQ(code, 0);
}

std::set<int> open_descriptors() {
  std::set<int> open;
  for (int fd = 0; fd < 1024; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) open.insert(fd);
  }
  return open;
}

class Descriptors : public LoopTest {};
PQD_OVER_BOTH_BACKENDS(Descriptors);

TEST_P(Descriptors, OfTheLoopAreNotInheritedAndGoWithIt) {
  loop_.reset();
  const std::set<int> before = open_descriptors();
  loop_ = std::move(*EventLoop::create(GetParam()));
  size_t added = 0;
  for (const int fd : open_descriptors()) {
    if (before.contains(fd)) continue;
    ++added;
    EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC) << fd;
  }
  EXPECT_EQ(added, 2U);  // the backend's and the one that wake() rings
  loop_.reset();
  EXPECT_EQ(open_descriptors(), before);
}

// What would be the use of a taken-over ring: opening files, connecting, reading.
TEST(RestrictedRing, RefusesOperationsThatTheLoopDoesNotUse) {
  auto open = open_ring(8);
  if (!open) GTEST_SKIP() << open.error();
  const auto result_of = [&](auto prepare) {
    prepare(io_uring_get_sqe(&open->ring));
    io_uring_submit_and_wait(&open->ring, 1);
    io_uring_cqe* cqe = nullptr;
    if (io_uring_peek_cqe(&open->ring, &cqe) != 0) return 1;
    const int result = cqe->res;
    io_uring_cqe_seen(&open->ring, cqe);
    return result;
  };
  EXPECT_EQ(result_of([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }), -EACCES);
  EXPECT_EQ(result_of([](io_uring_sqe* sqe) { io_uring_prep_openat(sqe, AT_FDCWD, "/", O_RDONLY, 0); }),
            -EACCES);
  char byte = 0;
  EXPECT_EQ(result_of([&](io_uring_sqe* sqe) { io_uring_prep_read(sqe, 0, &byte, 1, 0); }), -EACCES);
  const int fd = 0;
  EXPECT_EQ(io_uring_register_files(&open->ring, &fd, 1), -EACCES);
  io_uring_queue_exit(&open->ring);
}

}  // namespace
}  // namespace pqd::loop_test
