#include "shm/memfd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "tests/shm/fixtures.h"

namespace pqd {
namespace {

constexpr uint64_t kBytes = 65'536;

int mapping_errno(int fd, int protection) {
  void* address = ::mmap(nullptr, kBytes, protection, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return errno;
  ::munmap(address, kBytes);
  return 0;
}

int error_of(long result) { return result < 0 ? errno : 0; }

struct Down {
  Down() : fd(create_memfd("pqd-test", kBytes).value()) {
    address = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    EXPECT_NE(address, MAP_FAILED);
    EXPECT_TRUE(seal_for_client_reading(fd.get()));
  }
  ~Down() { ::munmap(address, kBytes); }
  Down(const Down&) = delete;
  Down& operator=(const Down&) = delete;

  UniqueFd fd;
  void* address = nullptr;
};

TEST(Memfd, IsAllocatedInFullZeroAndCloseOnExec) {
  const UniqueFd fd = create_memfd("pqd-test", kBytes).value();
  struct stat status {};
  ASSERT_EQ(::fstat(fd.get(), &status), 0);
  EXPECT_EQ(static_cast<uint64_t>(status.st_size), kBytes);
  EXPECT_GE(static_cast<uint64_t>(status.st_blocks) * 512, kBytes);
  EXPECT_EQ(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(status.st_mode & 0111, 0u);
}

TEST(Memfd, AFinalOneHoldsWhatItWasGivenAndNothingElseEver) {
  const std::string text = "card";
  const UniqueFd fd = create_final_memfd("pqd-test", std::as_bytes(std::span(text))).value();
  EXPECT_TRUE(check_memfd(fd.get(), text.size(), Sealed::kForNobodysWriting));
  std::string read(text.size(), ' ');
  EXPECT_EQ(::pread(fd.get(), read.data(), read.size(), 0), 4);
  EXPECT_EQ(read, text);
  EXPECT_EQ(error_of(::pwrite(fd.get(), "x", 1, 0)), EPERM);
  EXPECT_EQ(error_of(::ftruncate(fd.get(), 0)), EPERM);
}

TEST(Memfd, ACopyHasEveryByte) {
  constexpr uint64_t kLong = (2u << 20) + 4096;
  const UniqueFd from = create_memfd("pqd-test", kLong).value();
  const UniqueFd to = create_memfd("pqd-test", kLong).value();
  for (const off_t at : {off_t{0}, off_t{1 << 20}, static_cast<off_t>(kLong - 1)})
    ASSERT_EQ(::pwrite(from.get(), "x", 1, at), 1);
  ASSERT_TRUE(copy_memfd(from.get(), to.get(), kLong));
  std::string copied(kLong, ' ');
  ASSERT_EQ(::pread(to.get(), copied.data(), kLong, 0), static_cast<ssize_t>(kLong));
  EXPECT_EQ(std::ranges::count(copied, 'x'), 3);
  EXPECT_EQ(copied.back(), 'x');
  EXPECT_EQ(copy_memfd(from.get(), to.get(), kLong + 1).error().number, ENODATA);
}

TEST(Memfd, TellsWhomAFileIsSealedFor) {
  const auto as = [](int fd, Sealed sealed) { return check_memfd(fd, kBytes, sealed).has_value(); };
  const UniqueFd open = create_memfd("pqd-test", kBytes).value();
  EXPECT_FALSE(as(open.get(), Sealed::kForClientWriting));
  ASSERT_TRUE(seal_for_client_writing(open.get()));
  EXPECT_TRUE(as(open.get(), Sealed::kForClientWriting));
  EXPECT_FALSE(as(open.get(), Sealed::kForClientReading));
  EXPECT_FALSE(as(open.get(), Sealed::kForNobodysWriting));
  const Down down;
  EXPECT_TRUE(as(down.fd.get(), Sealed::kForClientReading));
  EXPECT_FALSE(as(down.fd.get(), Sealed::kForClientWriting));
  EXPECT_FALSE(check_memfd(down.fd.get(), kBytes + 1, Sealed::kForClientReading));
}

TEST(Memfd, MemoryThatCannotBeHadIsAnErrorAtOnce) {
  EXPECT_TRUE(test::succeeds_in_child([] {
    const rlimit limit{.rlim_cur = kBytes, .rlim_max = kBytes};
    ::signal(SIGXFSZ, SIG_IGN);
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    const auto fd = create_memfd("pqd-test", kBytes + 4096);
    return !fd && fd.error().number == EFBIG && std::string(fd.error().call) == "fallocate";
  }));
}

TEST(Memfd, CannotBeResizedFromTheFirstMomentOn) {
  const UniqueFd fd = create_memfd("pqd-test", kBytes).value();
  EXPECT_EQ(error_of(::ftruncate(fd.get(), 4096)), EPERM);
  EXPECT_EQ(error_of(::ftruncate(fd.get(), kBytes * 2)), EPERM);
  EXPECT_EQ(error_of(::fallocate(fd.get(), 0, kBytes, 4096)), EPERM);
}

TEST(Memfd, AClientCanWriteUpButNeitherResizeNorSealIt) {
  const UniqueFd fd = create_memfd("pqd-test", kBytes).value();
  ASSERT_TRUE(seal_for_client_writing(fd.get()));
  EXPECT_TRUE(test::succeeds_in_child([&] {
    return mapping_errno(fd.get(), PROT_READ | PROT_WRITE) == 0 &&
           error_of(::ftruncate(fd.get(), 4096)) == EPERM &&
           error_of(::ftruncate(fd.get(), kBytes * 2)) == EPERM &&
           error_of(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE)) == EPERM;
  }));
}

TEST(Memfd, AClientCannotChangeDownInAnyWay) {
  const Down down;
  EXPECT_TRUE(test::succeeds_in_child([&] {
    const int fd = down.fd.get();
    const char byte = 'x';
    return mapping_errno(fd, PROT_READ) == 0 && mapping_errno(fd, PROT_READ | PROT_WRITE) == EPERM &&
           error_of(::write(fd, &byte, 1)) == EPERM && error_of(::pwrite(fd, &byte, 1, 100)) == EPERM &&
           error_of(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096)) == EPERM &&
           error_of(::ftruncate(fd, 0)) == EPERM && error_of(::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)) == EPERM;
  }));
}

TEST(Memfd, AReadOnlyMappingOfDownCannotBecomeWritable) {
  const Down down;
  void* view = ::mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, down.fd.get(), 0);
  ASSERT_NE(view, MAP_FAILED);
  EXPECT_EQ(error_of(::mprotect(view, kBytes, PROT_READ | PROT_WRITE)), EACCES);
  EXPECT_EQ(error_of(::madvise(view, 4096, MADV_REMOVE)), EACCES);
  ::munmap(view, kBytes);
}

TEST(Memfd, OpeningDownAgainGivesNoMoreThanTheDescriptor) {
  const Down down;
  const std::string path = "/proc/self/fd/" + std::to_string(down.fd.get());
  const UniqueFd again(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (again) {
    EXPECT_EQ(mapping_errno(again.get(), PROT_READ | PROT_WRITE), EPERM);
  }
}

TEST(Memfd, TheDaemonsOwnMappingOfDownStaysWritable) {
  const Down down;
  const auto* view =
      static_cast<const char*>(::mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, down.fd.get(), 0));
  ASSERT_NE(view, MAP_FAILED);
  static_cast<char*>(down.address)[77] = 'd';
  EXPECT_EQ(view[77], 'd');
  ::munmap(const_cast<char*>(view), kBytes);
}

TEST(Memfd, AReceiverRefusesAFileThatCouldShrinkOrHasAnotherSize) {
  const UniqueFd good = create_memfd("pqd-test", kBytes).value();
  EXPECT_TRUE(check_memfd(good.get(), kBytes));
  EXPECT_EQ(check_memfd(good.get(), kBytes * 2).error().number, EINVAL);
  const UniqueFd loose(::memfd_create("pqd-test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(loose.get(), kBytes), 0);
  EXPECT_EQ(check_memfd(loose.get(), kBytes).error().number, EPERM);
  const UniqueFd event = test::make_event();
  EXPECT_FALSE(check_memfd(event.get(), kBytes));
}

}  // namespace
}  // namespace pqd
