// A small file system that a test fills and empties. Needs root; mounted() says whether there is one. One
// thread.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "shm/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

// A file system of 160 MiB, in a mount namespace of this process: it goes with it, whatever happens.
class SmallDisk {
 public:
  SmallDisk() {
    static const bool apart =
        ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    mounted_ = apart && ::mount("tmpfs", place_.path().c_str(), "tmpfs", 0, "size=160m") == 0;
    if (!mounted_) why_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(place_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& why() const { return why_; }
  const std::string& path() const { return place_.path(); }
  uint64_t free_bytes() const {
    struct statvfs fs {};
    return ::statvfs(path().c_str(), &fs) == 0 ? fs.f_bavail * fs.f_frsize : 0;
  }
  // Somebody else's file takes all but so many bytes.
  void leave(uint64_t bytes) {
    make_room();
    const UniqueFd file(::open(filler().c_str(), O_WRONLY | O_CREAT, 0600));
    const uint64_t free = free_bytes();
    if (free <= bytes) return;
    EXPECT_EQ(::fallocate(file.get(), 0, 0, static_cast<off_t>(free - bytes)), 0) << std::strerror(errno);
  }
  void make_room() { ::unlink(filler().c_str()); }

 private:
  std::string filler() const { return path() + "/filler"; }

  TempDir place_;
  bool mounted_ = false;
  std::string why_;
};

}  // namespace pqd::test
