#include "tests/layers/source_tree.h"

#include <algorithm>
#include <fstream>

namespace pqd::layers {
namespace {

namespace fs = std::filesystem;

bool is_foreign(const fs::path& directory) {
  const std::string name = directory.filename().string();
  return name == ".git" || name == ".cache" || name.starts_with("build");
}

std::vector<std::string> read_lines(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

bool is_text(const std::vector<std::string>& lines) {
  return std::ranges::none_of(lines, [](const std::string& line) { return line.contains('\0'); });
}

}  // namespace

bool SourceFile::is_cpp() const {
  return path.ends_with(".cpp") || path.ends_with(".c") || path.ends_with(".h");
}

std::string to_string(const Fault& fault) {
  return fault.path + (fault.line == 0 ? "" : ":" + std::to_string(fault.line)) + ": " + fault.text;
}

std::vector<SourceFile> read_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator(); ++at) {
    if (at->is_directory() && is_foreign(at->path())) {
      at.disable_recursion_pending();
      continue;
    }
    // In a second work tree, .git is a file that says where the first is.
    if (!at->is_regular_file() || at->path().filename() == ".git") continue;
    const fs::path path = at->path().lexically_relative(root);
    SourceFile file{path.generic_string(), path.parent_path().generic_string(), read_lines(at->path())};
    if (is_text(file.lines)) files.push_back(std::move(file));
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

}  // namespace pqd::layers
