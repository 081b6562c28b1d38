// The files that the demonstration hashes, and the list of them that all its processes read.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace pqd::demo {

struct ListedFile {
  std::string path;
  // What changes when the contents do.
  uint64_t size_bytes = 0;
  int64_t modified_ns = 0;
  uint64_t inode = 0;

  friend bool operator==(const ListedFile&, const ListedFile&) = default;
};

// Every regular file below `roots` that can be read, sorted by path; links are not followed. `limit` 0 = all.
std::vector<ListedFile> find_files(const std::vector<std::string>& roots, size_t limit);

// True when it is gone, or no longer as it was when it was listed.
bool has_changed(const ListedFile& file);

// Paths, each ended by a zero byte, as xargs -0 takes them. The error is a sentence.
std::expected<void, std::string> write_list(const std::string& path, const std::vector<ListedFile>& files);
std::expected<std::vector<std::string>, std::string> read_list(const std::string& path);

}  // namespace pqd::demo
