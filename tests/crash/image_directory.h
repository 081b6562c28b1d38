// Where an image of a store is written and read once: in memory, if there is a file system there.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/temp_dir.h"

namespace pqd::test {

class ImageDirectory {
 public:
  ImageDirectory() {
    const bool memory = std::filesystem::exists("/dev/shm");
    path_ = std::string(memory ? "/dev/shm" : "/tmp") + "/pqd-image-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
    write_file(path_ + "/format", "pqd 1\n");
  }
  ~ImageDirectory() { std::filesystem::remove_all(path_); }
  ImageDirectory(const ImageDirectory&) = delete;
  ImageDirectory& operator=(const ImageDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace pqd::test
