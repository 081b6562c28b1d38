#include "tests/layers/machine_paths.h"

#include <array>
#include <cctype>
#include <string_view>

namespace pqd::layers {
namespace {

// Without their last slash, so that this file is not its own finding.
constexpr std::array<std::string_view, 4> kPrivateRoots{"/work", "/home", "/root", "/Users"};

// Does `line` hold `root` as the beginning of an absolute path, not as the middle of another word?
bool mentions(std::string_view line, std::string_view root) {
  for (size_t at = line.find(root); at != std::string_view::npos; at = line.find(root, at + 1)) {
    const char before = at == 0 ? ' ' : line[at - 1];
    const bool begins = std::isalnum(static_cast<unsigned char>(before)) == 0 &&
                        std::string_view("_.-}/)").find(before) == std::string_view::npos;
    if (begins && line.substr(at + root.size()).starts_with('/')) return true;
  }
  return false;
}

}  // namespace

std::vector<Fault> check_machine_paths(const std::vector<SourceFile>& files) {
  std::vector<Fault> faults;
  for (const SourceFile& file : files) {
    for (size_t i = 0; i < file.lines.size(); ++i) {
      for (const std::string_view root : kPrivateRoots) {
        if (mentions(file.lines[i], root))
          faults.push_back({file.path, i + 1, "names a path of one machine, below " + std::string(root)});
      }
    }
  }
  return faults;
}

}  // namespace pqd::layers
