#include "daemon/loop/uring_ring.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace pqd {
namespace {

struct FlagSet {
  unsigned flags;
  const char* words;
};

// Best first. DEFER_TASKRUN (6.1) completes only when we ask, hence no interrupted handler and fuller
// batches; TASKRUN_FLAG shows in shared memory that there is something to ask for, so that looking costs no
// system call.
constexpr FlagSet kFlagSets[] = {
    {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
     "io_uring with SINGLE_ISSUER, DEFER_TASKRUN"},
    {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
     "io_uring with SINGLE_ISSUER, COOP_TASKRUN"},
    {IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, "io_uring with COOP_TASKRUN"},
    {0, "io_uring"},
};

// Completions wait here while handlers run: room for several per submission.
constexpr unsigned kCompletionsPerEntry = 4;

std::string why_not(int error) {
  std::string why = std::string("io_uring_setup said ") + strerrorname_np(error);
  if (error == ENOSYS) return why + " (a kernel without io_uring, or a seccomp filter)";
  if (error != EPERM) return why + " (" + std::strerror(error) + ")";
  int disabled = 0;
  std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
  if (disabled != 0) return why + " (kernel.io_uring_disabled=" + std::to_string(disabled) + ")";
  return why + " (a seccomp filter or a security policy forbids it)";
}

// Debian's liburing.so 2.3 declares io_uring_register_restrictions and io_uring_enable_rings but does not
// export them (its liburing.a does), hence the system call. Errno or 0.
int register_with(const io_uring& ring, unsigned opcode, const void* argument, unsigned count) {
  return ::syscall(SYS_io_uring_register, ring.ring_fd, opcode, argument, count) < 0 ? errno : 0;
}

// Errno or 0.
int restrict_and_enable(const io_uring& ring) {
  constexpr uint8_t kAllowed[] = {IORING_OP_POLL_ADD, IORING_OP_POLL_REMOVE, IORING_OP_WRITE,
                                  IORING_OP_FSYNC};
  io_uring_restriction rules[std::size(kAllowed)]{};
  for (size_t i = 0; i < std::size(kAllowed); ++i) {
    rules[i].opcode = IORING_RESTRICTION_SQE_OP;
    rules[i].sqe_op = kAllowed[i];
  }
  const int error = register_with(ring, IORING_REGISTER_RESTRICTIONS, rules, std::size(rules));
  return error != 0 ? error : register_with(ring, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

}  // namespace

std::expected<OpenRing, std::string> open_ring(unsigned entries) {
  int error = 0;
  for (const FlagSet& set : kFlagSets) {
    OpenRing open{{}, set.words};
    io_uring_params params{};
    params.flags = set.flags | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE;
    params.cq_entries = entries * kCompletionsPerEntry;
    error = -io_uring_queue_init_params(entries, &open.ring, &params);
    if (error == EINVAL) continue;  // a flag that this kernel does not know
    if (error != 0) break;
    // The feature bit that came with multishot polls; waiting with a timeout is older.
    if (params.features & IORING_FEAT_RSRC_TAGS) {
      error = restrict_and_enable(open.ring);
      if (error == 0) return open;
      io_uring_queue_exit(&open.ring);
      return std::unexpected(std::string("io_uring_register said ") + strerrorname_np(error));
    }
    io_uring_queue_exit(&open.ring);
    return std::unexpected("io_uring is older than Linux 5.13 here, without multishot polls");
  }
  return std::unexpected(why_not(error));
}

}  // namespace pqd
