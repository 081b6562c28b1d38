// What is on a disk after a power cut, by the promises that POSIX and journaling file systems (ext4 in its
// default mode, xfs) make and no more:
// - bytes of a file are there as of its last sync; of what was written since, any subset of 4 KiB pages may
// be
//   there, one of them torn between 512-byte sectors, pages that are not there read as zeros (or as they
//   were), and the size may be any between that of the last sync and the latest;
// - names are there as of the last sync of their directory; of what was done to names since, the first few
//   (the file system's own journal keeps their order). A sync of a file does not make its name durable.
// Belongs to one thread.
#pragma once

#include <map>
#include <random>

#include "tests/crash/disk_log.h"

namespace pqd::test {

// What becomes of that which no sync has reached.
enum class Cut : uint8_t {
  kNothing,     // all of it is lost
  kEverything,  // nothing is: what the death of a process leaves
  kRandom,
};

class DiskModel {
 public:
  void apply(const DiskOp& op);
  // Writes an image into the directory, which exists and has none of these files.
  void write_image(const std::string& directory, Cut cut, std::mt19937_64& random) const;
  // Files or names that no sync has reached: without any, all images are the same.
  bool any_unsynced() const;

 private:
  struct Inode {
    std::string now;
    std::string synced;
    uint64_t changed_from = UINT64_MAX;  // nothing before it was written since the last sync
  };
  // Of names, since the last sync of their directory.
  struct Change {
    std::string name;
    InodeNo inode = 0;       // 0 = it is gone
    bool with_next = false;  // a rename is two of these, which are never torn apart
  };
  struct Directory {
    std::map<std::string, InodeNo> now;
    std::map<std::string, InodeNo> synced;
    std::vector<Change> changes;
  };

  static std::string directory_of(const std::string& name);
  static std::string bytes_after(const Inode& inode, Cut cut, std::mt19937_64& random);

  std::map<InodeNo, Inode> inodes_;
  std::map<std::string, Directory> directories_;
};

}  // namespace pqd::test
