#include "bindings/cpp/fork_guard.h"

#include <sys/mman.h>

namespace pqd {
namespace {

constexpr size_t kGuardBytes = 4096;

}  // namespace

ForkGuard::ForkGuard() {
  void* page = ::mmap(nullptr, kGuardBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (::madvise(page, kGuardBytes, MADV_WIPEONFORK) != 0) {
    ::munmap(page, kGuardBytes);
    return;
  }
  *static_cast<std::byte*>(page) = std::byte{1};
  page_ = static_cast<const std::byte*>(page);
}

ForkGuard::~ForkGuard() {
  if (page_ != nullptr) ::munmap(const_cast<std::byte*>(page_), kGuardBytes);
}

}  // namespace pqd
