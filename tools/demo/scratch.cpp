#include "tools/demo/scratch.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <utility>

namespace pqd::demo {

std::expected<Scratch, std::string> Scratch::create() {
  const char* wanted = std::getenv("TMPDIR");
  std::string path =
      (wanted != nullptr && *wanted == '/' ? std::string(wanted) : "/var/tmp") + "/pqd-demo-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    return std::unexpected("cannot create " + path + ": " + ::strerror(errno) +
                           "; set TMPDIR to a directory that can be written");
  return Scratch(std::move(path));
}

Scratch::Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})), kept_(other.kept_) {}

Scratch::~Scratch() {
  std::error_code error;
  if (!path_.empty() && !kept_) std::filesystem::remove_all(path_, error);
}

bool Scratch::on_disk() const {
  struct statfs facts {};
  if (::statfs(path_.c_str(), &facts) != 0) return true;
  return facts.f_type != TMPFS_MAGIC && facts.f_type != RAMFS_MAGIC;
}

std::string tail_of(const std::string& path, size_t lines) {
  std::ifstream in(path);
  std::deque<std::string> last;
  for (std::string line; std::getline(in, line);) {
    last.push_back(std::move(line));
    if (last.size() > lines) last.pop_front();
  }
  std::string text;
  for (const std::string& line : last) text += line + "\n";
  return text;
}

}  // namespace pqd::demo
