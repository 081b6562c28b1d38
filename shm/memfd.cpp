#include "shm/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace pqd {
namespace {

constexpr uint64_t kCopyBytes = 1u << 20;
constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;

std::expected<void, SysError> add_seals(int fd, int seals) {
  if (::fcntl(fd, F_ADD_SEALS, seals) != 0) return std::unexpected(SysError::last("F_ADD_SEALS"));
  return {};
}

int open_memfd(const char* name) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = ::memfd_create(name, flags | MFD_NOEXEC_SEAL);
  // EINVAL: a kernel before 6.3, which does not know the flag.
  return fd < 0 && errno == EINVAL ? ::memfd_create(name, flags) : fd;
}

}  // namespace

std::expected<UniqueFd, SysError> create_memfd(const char* name, uint64_t bytes) {
  UniqueFd fd(open_memfd(name));
  if (!fd) return std::unexpected(SysError::last("memfd_create"));
  int result = 0;
  do result = ::fallocate(fd.get(), 0, 0, static_cast<off_t>(bytes));
  while (result != 0 && errno == EINTR);
  if (result != 0) return std::unexpected(SysError::last("fallocate"));
  if (auto sealed = add_seals(fd.get(), kSizeSeals); !sealed) return std::unexpected(sealed.error());
  return fd;
}

std::expected<void, SysError> seal_for_client_writing(int fd) { return add_seals(fd, F_SEAL_SEAL); }

std::expected<void, SysError> seal_for_client_reading(int fd) {
  // Two steps: the seal on sealing comes last.
  if (auto sealed = add_seals(fd, F_SEAL_FUTURE_WRITE); !sealed) return sealed;
  return add_seals(fd, F_SEAL_SEAL);
}

std::expected<UniqueFd, SysError> create_final_memfd(const char* name, std::span<const std::byte> content) {
  auto fd = create_memfd(name, content.size());
  if (!fd) return fd;
  if (::pwrite(fd->get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
    return std::unexpected(SysError::last("pwrite"));
  if (auto sealed = add_seals(fd->get(), F_SEAL_WRITE); !sealed) return std::unexpected(sealed.error());
  if (auto sealed = add_seals(fd->get(), F_SEAL_SEAL); !sealed) return std::unexpected(sealed.error());
  return fd;
}

std::expected<void, SysError> copy_memfd(int from, int to, uint64_t bytes) {
  std::vector<std::byte> piece(std::min<uint64_t>(bytes, kCopyBytes));
  for (uint64_t at = 0; at < bytes;) {
    const ssize_t got =
        ::pread(from, piece.data(), std::min<uint64_t>(piece.size(), bytes - at), static_cast<off_t>(at));
    if (got <= 0) return std::unexpected(got < 0 ? SysError::last("pread") : SysError{ENODATA, "pread"});
    const ssize_t put = ::pwrite(to, piece.data(), static_cast<size_t>(got), static_cast<off_t>(at));
    if (put <= 0) return std::unexpected(put < 0 ? SysError::last("pwrite") : SysError{ENOSPC, "pwrite"});
    at += static_cast<uint64_t>(put);
  }
  return {};
}

std::expected<void, SysError> check_memfd(int fd, uint64_t bytes, Sealed sealed) {
  if (auto checked = check_memfd(fd, bytes); !checked) return checked;
  const int against_writing = ::fcntl(fd, F_GET_SEALS) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
  const int wanted = sealed == Sealed::kForClientWriting   ? F_SEAL_SEAL
                     : sealed == Sealed::kForClientReading ? F_SEAL_FUTURE_WRITE | F_SEAL_SEAL
                                                           : F_SEAL_WRITE | F_SEAL_SEAL;
  if (against_writing != wanted) return std::unexpected(SysError{EPERM, "F_GET_SEALS"});
  return {};
}

std::expected<void, SysError> check_memfd(int fd, uint64_t bytes) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0) return std::unexpected(SysError::last("F_GET_SEALS"));
  if ((seals & kSizeSeals) != kSizeSeals) return std::unexpected(SysError{EPERM, "F_GET_SEALS"});
  struct stat status {};
  if (::fstat(fd, &status) != 0) return std::unexpected(SysError::last("fstat"));
  if (static_cast<uint64_t>(status.st_size) != bytes) return std::unexpected(SysError{EINVAL, "fstat"});
  return {};
}

}  // namespace pqd
