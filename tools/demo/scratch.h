// The directory that a run works in and leaves nothing of.
#pragma once

#include <expected>
#include <string>

namespace pqd::demo {

class Scratch {
 public:
  // Below $TMPDIR, else /var/tmp, which is on a disk where /tmp may be memory. The error is a sentence.
  static std::expected<Scratch, std::string> create();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // The directory is kept, for somebody to look at.
  void keep() { kept_ = true; }
  bool on_disk() const;  // false: on a file system in memory, where durable means little

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}

  std::string path_;
  bool kept_ = false;
};

// The last `lines` lines of a file; empty when there is none.
std::string tail_of(const std::string& path, size_t lines);

}  // namespace pqd::demo
