// The project's files as lines of text, for rules that speak of sources.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pqd::layers {

struct SourceFile {
  std::string path;    // from the root of the tree, as includes spell it
  std::string folder;  // that of `path`: "daemon/store"
  std::vector<std::string> lines;

  bool is_cpp() const;  // a source or a header
};

// A rule that does not hold.
struct Fault {
  std::string path;
  size_t line = 0;  // 1-based; 0 = of the whole file or folder
  std::string text;

  friend bool operator==(const Fault&, const Fault&) = default;
};

// "core/job.h:12: core may not include shm/ring.h"
std::string to_string(const Fault& fault);

// Every text file of the tree, in the order of their paths; without what is built and what version control
// keeps.
std::vector<SourceFile> read_tree(const std::filesystem::path& root);

}  // namespace pqd::layers
