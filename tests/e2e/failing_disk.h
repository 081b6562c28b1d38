// A file system on a disk of its own that can be made to fail: from one moment on nothing can be written.
// Needs root and a loop device; mounted() says whether
// there is one. One thread.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "shm/unique_fd.h"
#include "tests/support/eventually.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

// ext4 of 1 GiB, most of it never written, in a mount namespace of this process. Mount and device go with it,
// whatever happens.
class FailingDisk {
 public:
  FailingDisk() {
    static const bool apart =
        ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    mounted_ = apart && ::mkdir(path_.c_str(), 0700) == 0 && make_image() && attach_and_mount(0);
    if (!mounted_) why_ = std::strerror(errno);
  }
  ~FailingDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& why() const { return why_; }
  const std::string& path() const { return path_; }

  // From now on nothing is written to it; what was written before is kept. (Remounting it with "abort" is no
  // way: the fdatasync() that is under way then may say yes and its bytes be gone, see tests/crash/README.)
  testing::AssertionResult fail() const {
    const UniqueFd root(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    uint32_t after_writing_out = 0;
    return done(::ioctl(root.get(), _IOR('X', 125, uint32_t), &after_writing_out));  // EXT4_IOC_SHUTDOWN
  }
  // Nothing new can be opened for writing below `path`; who has a file open may still write to it.
  static testing::AssertionResult forbid_writing(const std::string& path) {
    const int bound = ::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr);
    return done(bound != 0
                    ? bound
                    : ::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
  }
  static testing::AssertionResult allow_writing(const std::string& path) {
    return done(::umount2(path.c_str(), MNT_DETACH));
  }
  // REQUIRES for both: nobody has a file of it open. The journal of the file system is played back.
  testing::AssertionResult mend() { return again(0); }
  testing::AssertionResult mount_read_only() { return again(MS_RDONLY); }

 private:
  static testing::AssertionResult done(int result) {
    if (result == 0) return testing::AssertionSuccess();
    return testing::AssertionFailure() << std::strerror(errno);
  }
  testing::AssertionResult again(unsigned long flags) {
    // The kernel may still be closing a dead process's ring.
    if (!eventually([this] { return ::umount(path_.c_str()) == 0; })) return done(-1);
    mounted_ = attach_and_mount(flags);
    return done(mounted_ ? 0 : -1);
  }
  bool make_image() {
    const UniqueFd image(::open(image_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (::ftruncate(image.get(), 1 << 30) != 0) return false;
    return run({"/sbin/mkfs.ext4", "-q", image_}).exit == 0;
  }
  // The device lets go of the image with the last mount of it.
  bool attach_and_mount(unsigned long flags) {
    const UniqueFd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const UniqueFd image(::open(image_.c_str(), O_RDWR | O_CLOEXEC));
    // Somebody else may take the one that was free.
    for (int tries = 0; tries < 20 && control && image; ++tries) {
      const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
      if (number < 0) return false;
      const std::string name = "/dev/loop" + std::to_string(number);
      const UniqueFd device(::open(name.c_str(), O_RDWR | O_CLOEXEC));
      loop_config config{};
      config.fd = static_cast<uint32_t>(image.get());
      config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
      if (!device) return false;
      if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0)
        return ::mount(name.c_str(), path_.c_str(), "ext4", flags, nullptr) == 0;
    }
    return false;
  }

  TempDir place_;
  const std::string image_ = place_.path("image");
  const std::string path_ = place_.path("disk");
  bool mounted_ = false;
  std::string why_;
};

}  // namespace pqd::test
