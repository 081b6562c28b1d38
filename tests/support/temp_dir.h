// A directory of a test's own, gone at the end. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace pqd::test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// Whole files. Reading one that is not there gives "".
std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view text);

}  // namespace pqd::test
