#include "tools/demo/file_list.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace pqd::demo {
namespace {

namespace fs = std::filesystem;

std::optional<ListedFile> look_at(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  return ListedFile{path, static_cast<uint64_t>(facts.st_size),
                    int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec, facts.st_ino};
}

void find_below(const std::string& root, std::vector<ListedFile>& files) {
  std::error_code error;
  fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    auto file = look_at(at->path().string());
    if (file && ::access(file->path.c_str(), R_OK) == 0) files.push_back(std::move(*file));
  }
}

}  // namespace

std::vector<ListedFile> find_files(const std::vector<std::string>& roots, size_t limit) {
  std::vector<ListedFile> files;
  for (const std::string& root : roots) find_below(root, files);
  std::ranges::sort(files, {}, &ListedFile::path);
  const auto again = std::ranges::unique(files, {}, &ListedFile::path);
  files.erase(again.begin(), again.end());
  if (limit != 0 && files.size() > limit) files.resize(limit);
  return files;
}

bool has_changed(const ListedFile& file) { return look_at(file.path) != file; }

std::expected<void, std::string> write_list(const std::string& path, const std::vector<ListedFile>& files) {
  std::ofstream out(path, std::ios::binary);
  for (const ListedFile& file : files) out << file.path << '\0';
  out.close();
  if (!out) return std::unexpected("cannot write " + path + ": " + ::strerror(errno));
  return {};
}

std::expected<std::vector<std::string>, std::string> read_list(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::string> paths;
  for (std::string name; std::getline(in, name, '\0');) paths.push_back(std::move(name));
  if (!in.eof()) return std::unexpected("cannot read " + path + ": " + ::strerror(errno));
  return paths;
}

}  // namespace pqd::demo
