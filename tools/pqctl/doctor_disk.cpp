// The state directory: is it there, may it be written, on what, and is there room.
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tools/pqctl/doctor.h"

namespace pqd::ctl {
namespace {

// What a start of the store wants beside the reserve.
constexpr uint64_t kStartBytesMin = 16u << 20;
constexpr mode_t kForOthers = 077;

// Of linux/magic.h as far as it has them; those of XFS, ZFS, CIFS and SMB2 are in their own sources.
struct FileSystem {
  int64_t type;
  const char* name;
  const char* trouble;
};
constexpr const char* kGoesWithBoot = "what is in it does not survive a reboot";
constexpr const char* kRemote = "locks and syncs over a network are not to be relied on";
constexpr FileSystem kFileSystems[] = {
    {EXT4_SUPER_MAGIC, "ext4", nullptr},
    {0x58465342, "xfs", nullptr},
    {BTRFS_SUPER_MAGIC, "btrfs", nullptr},
    {0x2fc12fc1, "zfs", nullptr},
    {F2FS_SUPER_MAGIC, "f2fs", nullptr},
    {TMPFS_MAGIC, "tmpfs", kGoesWithBoot},
    {RAMFS_MAGIC, "ramfs", kGoesWithBoot},
    {OVERLAYFS_SUPER_MAGIC, "overlayfs", "what is in a container's own layer goes with the container"},
    {NFS_SUPER_MAGIC, "nfs", kRemote},
    {0xff534d42, "cifs", kRemote},
    {0xfe534d42, "smb", kRemote},
    {V9FS_MAGIC, "9p", kRemote},
    {FUSE_SUPER_MAGIC, "fuse", "it depends on its server whether a sync is one"},
};

std::string user_name(uid_t uid) {
  const passwd* const entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(uid);
}

// The directory itself, or the nearest above it that exists.
std::string existing(const std::string& directory) {
  std::filesystem::path path(directory);
  std::error_code ignored;
  while (path.has_relative_path() && !std::filesystem::exists(path, ignored)) path = path.parent_path();
  return path.string();
}

bool writable(const std::string& directory) {
  return ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

Finding missing_directory(const std::string& directory) {
  const std::string above = existing(directory);
  if (writable(above))
    return {"state directory", Verdict::kOk, directory + " is not there yet, the first start makes it"};
  return {"state directory", Verdict::kWarn,
          directory + " is not there, and this user may not make it in " + above,
          "start pqd as a user who may, set state_dir in [daemon], or try `pqd --dev`"};
}

Finding check_directory(const std::string& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    if (errno == ENOENT) return missing_directory(directory);
    return {"state directory", Verdict::kWarn, directory + " cannot be looked at: " + errno_text(errno),
            "ask again as the daemon's user or root"};
  }
  if (!S_ISDIR(status.st_mode))
    return {"state directory", Verdict::kFail, directory + " is no directory", "set state_dir in [daemon]"};
  const std::string owner = directory + ", of user " + user_name(status.st_uid);
  if (!writable(directory))
    return {"state directory", status.st_uid == ::geteuid() ? Verdict::kFail : Verdict::kWarn,
            owner + ", is not writable for this one",
            "start pqd as its owner, or give the directory to the daemon's user"};
  if ((status.st_mode & kForOthers) != 0)
    return {"state directory", Verdict::kWarn, owner + ", is open to others: it holds every payload",
            "chmod 700 " + directory};
  return {"state directory", Verdict::kOk, owner};
}

}  // namespace

Finding judge_file_system(int64_t type, std::string_view directory) {
  for (const FileSystem& known : kFileSystems) {
    if (type != known.type) continue;
    if (known.trouble == nullptr) return {"file system", Verdict::kOk, known.name};
    return {"file system", Verdict::kWarn,
            std::string(known.name) + " under " + std::string(directory) + ": " + known.trouble,
            "set state_dir in [daemon] to a directory on a local disk"};
  }
  return {"file system", Verdict::kOk, "not one that is known to make trouble"};
}

Finding judge_free_disk(uint64_t free_bytes, uint64_t reserved_bytes, std::string_view directory) {
  const std::string text = bytes_in_words(free_bytes) + " free under " + std::string(directory) + ", " +
                           bytes_in_words(reserved_bytes) + " are reserved";
  const std::string remedy = "free space there, or lower reserved_bytes in [store]";
  if (free_bytes < kStartBytesMin)
    return {"free disk", Verdict::kFail, text + ", and a start takes " + bytes_in_words(kStartBytesMin),
            remedy};
  if (free_bytes < reserved_bytes)
    return {"free disk", Verdict::kFail, text + ", so that submits are refused with NO_SPACE", remedy};
  if (free_bytes / 2 < reserved_bytes) return {"free disk", Verdict::kWarn, text + ", which is near", remedy};
  return {"free disk", Verdict::kOk, text};
}

Findings check_disk(const std::string& state_dir, uint64_t reserved_bytes) {
  Findings findings{check_directory(state_dir)};
  const std::string directory = existing(state_dir);
  struct statfs status {};
  if (::statfs(directory.c_str(), &status) != 0) {
    findings.push_back({"free disk", Verdict::kWarn, directory + " cannot be looked at: " + errno_text(errno),
                        "ask again as the daemon's user or root"});
    return findings;
  }
  findings.push_back(judge_file_system(status.f_type, directory));
  findings.push_back(
      judge_free_disk(status.f_bavail * static_cast<uint64_t>(status.f_bsize), reserved_bytes, directory));
  return findings;
}

}  // namespace pqd::ctl
